// npm run bench:cli — what starting the command line costs, as ratios to a bare node, and how soon `ready` is said.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import { comparePairs, createHome, freePort, mainFile, median, report, timeRun } from './lib.mjs';

const rounds = 25;
const starts = 5;
const { home, env, remove } = createHome();
const port = await freePort();
const upArgs = ['up', '-p', 'demo', '--set', `server.port=${port}`];
const hundred = writeProfiles(100);
const cli = (...args) => timeRun(process.execPath, [mainFile, ...args], { env, cwd: home });

const runBare = async () => (await timeRun(process.execPath, ['-e', '0'], { env, cwd: home })).ms;

try {
  const gaps = [];
  const wholes = [];
  for (let round = 0; round < starts; round += 1) {
    const { ms, gapMs } = await measureUp();
    wholes.push(ms);
    gaps.push(gapMs);
    if (round < starts - 1) await cli('down');
  }
  const rows = [];
  for (const [name, args, bar] of [
    ['--version', ['--version'], 1.35],
    ['--help', ['--help'], 1.4],
    ['status (one deployment)', ['status'], 1.6],
    ['plan -p demo', ['plan', '-p', 'demo'], 1.8],
    ['profiles check, 100 of them, again', ['profiles', 'check', ...hundred], 5],
  ]) {
    const { a, b, ratio } = await comparePairs(rounds, async () => (await cli(...args)).ms, runBare);
    rows.push({ name, value: ratio, bar, unit: ' ×', note: `${a.toFixed(0)} ms, bare node ${b.toFixed(0)} ms` });
  }
  rows.push(await measureCold());
  rows.push({ name: 'first 200 on /health → ready', value: median(gaps), bar: 300, unit: ' ms', note: `${starts} starts` });
  rows.push({ name: 'up --profile demo, whole', value: median(wholes), bar: 2000, unit: ' ms', note: `${starts} starts` });
  report('bench:cli', rows);
} finally {
  await cli('down', '--all', '--force');
  remove();
}

async function measureUp() {
  let firstAnswer;
  const polling = setInterval(() => {
    const call = request({ host: '127.0.0.1', port, path: '/health', agent: false }, (reply) => {
      reply.resume();
      if (reply.statusCode === 200) firstAnswer ??= Date.now();
    });
    call.on('error', () => undefined).end();
  }, 4);
  const { ms } = await cli(...upArgs);
  clearInterval(polling);
  const lines = readFileSync(join(env.QWEN_DEPLOY_HOME, 'state/deployments/demo/events.ndjson'), 'utf8').trim().split('\n');
  const ready = lines.map((line) => JSON.parse(line)).findLast(({ type }) => type === 'ready');
  return { ms, gapMs: Math.max(0, Date.parse(ready.at) - firstAnswer) };
}

/** Never read before: against the YAML parser alone, which takes nearly five starts of Node for the same files. */
async function measureCold() {
  const floor = join(home, 'yaml-alone.cjs');
  await build({ entryPoints: ['bench/yaml-alone.mjs'], outfile: floor, bundle: true, minify: true, platform: 'node', format: 'cjs' });
  const own = async () => {
    rmSync(join(env.QWEN_DEPLOY_HOME, 'cache'), { recursive: true, force: true });
    return (await cli('profiles', 'check', ...hundred)).ms;
  };
  const parse = async () => (await timeRun(process.execPath, [floor, ...hundred], { env, cwd: home })).ms;
  const { a, b, ratio } = await comparePairs(rounds, own, parse);
  const bare = median([await runBare(), await runBare(), await runBare()]);
  const note = `${a.toFixed(0)} ms, the yaml package alone ${b.toFixed(0)} ms, bare node ${bare.toFixed(0)} ms`;
  return { name: 'the same, never read before', value: ratio, bar: 2.5, unit: ' ×', note };
}

/** Each a little different, most on a shipped parent, as those of a team would be. */
function writeProfiles(count) {
  const parents = ['base/gpu', 'int4', 'base/cpu', 'fp8', ''];
  const directory = join(home, 'profiles');
  mkdirSync(directory);
  return Array.from({ length: count }, (_, index) => {
    const parent = parents[index % parents.length];
    const lines = [
      `# profile ${index}, for the bench`,
      ...(parent === '' ? [] : [`extends: ${parent}`]),
      `description: number ${index} of a team that has many`,
      ...(parent === 'int4' || parent === 'fp8' ? [] : ['model: Qwen/Qwen3-0.6B']),
      `served-names: [m${index}, Qwen3-0.6B]`,
      'vllm:',
      `  max-model-len: ${4096 + 16 * index}`,
      '  # as many as fit',
      `  max-num-seqs: ${8 + (index % 24)}`,
      ...(index % 3 === 0 ? ['  compilation-config: {cudagraph_capture_sizes: [1, 2, 4, 8]}'] : []),
      'server:',
      `  port: ${8000 + index}`,
      'health: {start-deadline: 20m}',
      '',
    ];
    const path = join(directory, `p${index}.yaml`);
    writeFileSync(path, lines.join('\n'));
    return path;
  });
}
