/** The same log as another machine would have written it: the cause stays what it was. */

export type Mutation = readonly [name: string, change: (text: string) => string];

export const mutations: readonly Mutation[] = [
  ['other numbers', (text) => text.replace(/(\d+(?:\.\d+)?) (GiB|MiB)/g, (_, size, unit) => `${(Number(size) * 1.7).toFixed(2)} ${unit}`).replace(/\((\d+\.\d+)\/(\d+\.\d+) GiB\)/g, '($1/$2 GiB)')],
  ['other processes', (text) => text.replace(/pid=\d+/g, (pid) => `pid=${(Number(pid.slice(4)) * 7) % 4_000_000}`)],
  ['other places', (text) => text.replace(/\[(\w+\.py):\d+\]/g, '[$1:7]').replace(/line \d+, in/g, 'line 42, in')],
  ['other times', (text) => text.replace(/\b\d\d-\d\d (\d\d:\d\d:\d\d)\b/g, '12-31 $1')],
  ['other paths', (text) => text.replace(/\/(?:usr|home\/user|root|opt|data|dist-packages)\//g, '/srv/engines/of/others/')],
  ['other ranks', (text) => text.replace(/Worker_TP\d+/g, 'Worker_TP5').replace(/EngineCore_DP\d+/g, 'EngineCore_DP3').replace(/cuda:\d/g, 'cuda:6')],
  ['older names of processes', (text) => text.replace(/\(EngineCore pid/g, '(EngineCore_0 pid').replace(/\(Worker pid/g, '(VllmWorker TP0 pid')],
  ['noise between', addNoise],
  ['noise before and after', (text) => `${noise.join('\n')}\n${text.trimEnd()}\n${noise.slice(0, 2).join('\n')}\n`],
  ['a thousand times', (text) => `${text.trimEnd()}\n`.repeat(1000)],
  ['sorted by process', sortProcesses],
  ['with Windows line ends', (text) => text.replaceAll('\n', '\r\n')],
  ['with colours', (text) => text.replace(/^(\([\w.]+ pid=\d+\))/gm, '\u001b[0;36m$1\u001b[0;0m')],
  ['with time stamps of Docker', (text) => text.replace(/^/gm, '2026-08-02T10:11:12.123456789Z ')],
  ['with the prefix of journald', (text) => text.replace(/^/gm, 'Aug 02 10:11:12 host vllm[311]: ')],
  ['with the prefix of Compose', (text) => text.replace(/^/gm, 'vllm-1  | ')],
  ['after a progress bar', (text) => text.replace(/^(?=\()/gm, 'Loading: 10%|#   | 1/10\rLoading: 20%|##  | 2/10\r')],
];

const noise = [
  '(APIServer pid=9) INFO 08-02 10:11:12 [api_utils.py:286] non-default args: {}',
  '(EngineCore pid=19) INFO 08-02 10:11:12 [gpu_model_runner.py:3500] Using FLASH_ATTN attention backend out of potential backends: [FLASH_ATTN]',
  '(APIServer pid=9) WARNING 08-02 10:11:12 [model.py:1500] Default vLLM sampling parameters have been overridden by the model\'s `generation_config.json`',
  '(EngineCore pid=19) INFO 08-02 10:11:12 [weight_utils.py:392] Using model weights format [\'*.safetensors\']',
  '/srv/x/torch/cuda/__init__.py:63: FutureWarning: The pynvml package is deprecated. Please install nvidia-ml-py instead.',
];

/** Only in front of lines that say who wrote them: a wrapped message stays together. */
function addNoise(text: string): string {
  return text
    .split('\n')
    .flatMap((line, index) => (/^\(/.test(line) ? [noise[index % noise.length] ?? '', line] : [line]))
    .join('\n');
}

/** As a reader with a buffer for each process would have mixed them. Lines of nobody stay where they are. */
function sortProcesses(text: string): string {
  const lines = text.split('\n');
  const isOfWorker = (line: string) => /^\((?:Vllm)?Worker/.test(line);
  const headed = lines.flatMap((line, index) => (/^\([\w.]+ pid=/.test(line) ? [index] : []));
  const sorted = headed.map((index) => lines[index] ?? '').toSorted((one, other) => Number(isOfWorker(one)) - Number(isOfWorker(other)));
  for (const [position, index] of headed.entries()) lines[index] = sorted[position] ?? '';
  return lines.join('\n');
}
