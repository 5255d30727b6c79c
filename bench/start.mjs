// npm run bench:start — the second `up --profile tiny` against plain `vllm serve` of the same argv, to the first
// answered completion: in the same (byte-compiled) environment; in one as uv installs it by default, without bytecode; and in
// such a one that cannot keep bytecode (read-only, another owner's, a container's layer). Uses QWEN_DEPLOY_TEST_ENGINE_HOME's engine, or installs one into a home of its own.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createHome, freePort, mainFile, median, report, timeRun } from './lib.mjs';

const rounds = Number(process.env.ROUNDS ?? 3);
const { home, env, remove } = createHome();
const cli = (...args) => timeRun(process.execPath, [mainFile, ...args], { env, cwd: home });

try {
  const shared = process.env.QWEN_DEPLOY_TEST_ENGINE_HOME;
  if (shared && existsSync(join(shared, 'data/engines'))) {
    mkdirSync(join(home, 'qd/data'), { recursive: true, mode: 0o700 });
    symlinkSync(join(shared, 'data/engines'), join(home, 'qd/data/engines'));
  } else {
    await timeRun(process.execPath, [mainFile, 'engine', 'install', 'cpu'], { env: { ...process.env, ...env }, stdio: 'inherit' });
  }
  const port = await freePort();
  const upArgs = ['up', '-p', 'tiny', '--set', `server.port=${port}`];
  await cli(...upArgs);
  await cli('down');
  const plan = JSON.parse(
    (
      await timeRun(process.execPath, [mainFile, 'plan', '-p', 'tiny', '--set', `server.port=${port}`, '-o', 'json'], {
        env,
        stdio: ['ignore', 'pipe', 'ignore'],
      })
    ).output,
  );
  const bare = copyWithoutBytecode(plan.argv[0]);
  // Copying gigabytes has pushed the environment out of the machine's memory.
  await cli(...upArgs);
  await cli('down');
  const times = { up: [], plain: [], fresh: [], unwritable: [] };
  for (let round = 0; round < rounds; round += 1) {
    times.up.push(await timeUp(upArgs, port));
    times.plain.push(await timePlain(plan.argv, plan.env, port));
    dropBytecode(bare.directory);
    const uncompiled = [bare.python, bare.program, ...plan.argv.slice(1)];
    times.fresh.push(await timePlain(uncompiled, firstHome(), port));
    dropBytecode(bare.directory);
    times.unwritable.push(await timePlain(uncompiled, { ...firstHome(), PYTHONDONTWRITEBYTECODE: '1' }, port));
    console.log(
      `round ${round + 1}: ${Object.entries(times)
        .map(([name, all]) => `${name} ${(all.at(-1) / 1000).toFixed(1)} s`)
        .join(', ')}`,
    );
  }
  const ratio = (other) => median(times.up.map((ms, round) => ms / other[round]));
  const note = Object.entries(times)
    .map(([name, all]) => `${name} ${(median(all) / 1000).toFixed(1)} s`)
    .join(', ');
  report('bench:start', [
    { name: 'up tiny / vllm serve, same environment', value: ratio(times.plain), bar: 1.1, unit: ' ×', note },
    // The first process of a fresh environment writes bytecode that the engine's two other processes already use.
    {
      name: 'up tiny / vllm serve, fresh from uv (no bytecode yet)',
      value: ratio(times.fresh),
      bar: 0.6,
      unit: ' ×',
      note: `${rounds} rounds`,
    },
    { name: 'up tiny / vllm serve, bytecode cannot be written', value: ratio(times.unwritable), bar: 0.6, unit: ' ×' },
  ]);
} finally {
  await cli('down', '--all', '--force');
  remove();
}

async function timeUp(args, port) {
  const startedAt = performance.now();
  await cli(...args);
  await waitForCompletion(port);
  const ms = performance.now() - startedAt;
  await cli('down');
  return ms;
}

/** Of somebody who has just installed vLLM: nothing of its caches is there, and no variable of ours. */
function firstHome() {
  return { HOME: mkdtempSync(join(home, 'first-')) };
}

async function timePlain([program, ...args], planEnv, port) {
  const startedAt = performance.now();
  const child = spawn(program, args, { env: { PATH: env.PATH, HOME: env.HOME, ...planEnv }, stdio: 'ignore', detached: true });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await waitForCompletion(port);
  const ms = performance.now() - startedAt;
  child.kill('SIGTERM');
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), 30_000);
  await ended;
  clearTimeout(timer);
  return ms;
}

/** Until one token has come back over HTTP. */
async function waitForCompletion(port) {
  for (;;) {
    try {
      const reply = await fetch(`http://127.0.0.1:${port}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'Qwen3-0.6B', prompt: 'Hello', max_tokens: 1 }),
      });
      if (reply.status === 200 && (await reply.json()).choices) return;
    } catch {
      // not listening yet
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The same environment beside itself: hard links, so that it costs no space, and its own bytecode. */
function copyWithoutBytecode(program) {
  const source = join(program, '../..');
  const directory = join(home, 'uncompiled');
  cpSync(source, directory, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('__pycache__') });
  return { directory, python: join(directory, 'bin/python'), program: join(directory, 'bin/vllm') };
}

function dropBytecode(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory() && entry.name === '__pycache__')
      rmSync(join(entry.parentPath ?? entry.path, entry.name), { recursive: true, force: true });
  }
}
