/** What others put around a log, as they write it: line by line, so that numbers stay the same. */
type Wrap = (line: string, index: number) => string;

const two = (value: number) => String(value).padStart(2, '0');
const clock = (index: number) => `10:${two(Math.floor(index / 60) % 60)}:${two(index % 60)}`;
const iso = (index: number) => `2026-11-21T${clock(index)}.${String(123_456_789 + index)}Z`;

export const wraps: Readonly<Record<string, Wrap>> = {
  plain: (line) => line,
  'windows line ends': (line) => `${line}\r`,
  'docker json-file': (line, index) => JSON.stringify({ log: `${line}\n`, stream: index % 3 ? 'stderr' : 'stdout', time: iso(index) }),
  'docker json-file with attributes': (line, index) =>
    JSON.stringify({ log: `${line}\r\n`, stream: 'stderr', attrs: { tag: 'vllm' }, time: iso(index) }),
  'a collector without line ends': (line, index) => JSON.stringify({ time: iso(index), stream: 'stderr', log: line }),
  'docker logs -t': (line, index) => `${iso(index)} ${line}`,
  'Docker Desktop': (line, index) => `2026-11-21 ${clock(index)}.910 | ${line}`,
  'kubectl logs --prefix': (line) => `[pod/qwen-7d9c/vllm] ${line}`,
  'kubectl logs --prefix --timestamps': (line, index) => `[pod/qwen-7d9c/vllm] ${iso(index)} ${line}`,
  'CRI files': (line, index) => `${iso(index)} ${index % 4 ? 'stderr' : 'stdout'} F ${line}`,
  'docker compose logs': (line) => `vllm-1  | ${line}`,
  'docker compose logs with colours': (line) => `\x1b[36mvllm-1  | \x1b[0m${line}`,
  'docker compose logs -t': (line, index) => `vllm-1  | ${iso(index)} ${line}`,
  'journald short': (line, index) => `Nov 21 ${clock(index)} gpu7 vllm[2827]: ${line}`,
  'journald short-precise': (line, index) => `Nov  2 ${clock(index)}.123456 gpu7 vllm[2827]: ${line}`,
  'journald short-iso': (line, index) => `2026-11-21T${clock(index)}+0000 gpu7 vllm[2827]: ${line}`,
  'journald short-full': (line, index) => `Sat 2026-11-21 ${clock(index)} UTC gpu7 vllm[2827]: ${line}`,
  'journald short-unix': (line, index) => `${1_763_719_200 + index}.123456 gpu7 vllm[2827]: ${line}`,
  'journald short-monotonic': (line, index) => `[${String(index).padStart(5)}.123456] gpu7 vllm[2827]: ${line}`,
  'journald json': (line, index) =>
    JSON.stringify({ __CURSOR: `s=${index}`, _SYSTEMD_UNIT: 'vllm.service', PRIORITY: '6', MESSAGE: line, _PID: '2827' }),
  'journald json of the docker driver': (line) =>
    JSON.stringify({ CONTAINER_NAME: 'vllm', MESSAGE: line, _SYSTEMD_UNIT: 'docker.service' }),
  'journald json, as bytes': (line) => JSON.stringify({ _PID: '2827', MESSAGE: [...Buffer.from(line)] }),
  'GitHub Actions': (line, index) => `2026-11-21T${clock(index)}.1234567Z ${line}`,
  'qwen-deploy logs -o json': (line) => JSON.stringify({ kind: 'LogLine', version: 1, launchId: 'a1b2', process: 'api', text: line }),
  'docker json-file of compose': (line, index) => JSON.stringify({ log: `vllm-1  | ${iso(index)} ${line}\n`, stream: 'stdout' }),
};
