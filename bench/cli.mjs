// npm run bench:cli — what starting the command line costs, as ratios to a bare node, and how soon `ready` is said.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { comparePairs, createHome, freePort, mainFile, median, report, timeRun } from './lib.mjs';

const rounds = 25;
const starts = 5;
const { home, env, remove } = createHome();
const port = await freePort();
const upArgs = ['up', '-p', 'demo', '--set', `server.port=${port}`];
const cli = (...args) => timeRun(process.execPath, [mainFile, ...args], { env, cwd: home });

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
  ]) {
    const bare = async () => (await timeRun(process.execPath, ['-e', '0'], { env, cwd: home })).ms;
    const own = async () => (await cli(...args)).ms;
    const { a, b, ratio } = await comparePairs(rounds, own, bare);
    rows.push({ name, value: ratio, bar, unit: ' ×', note: `${a.toFixed(0)} ms, bare node ${b.toFixed(0)} ms` });
  }
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
