// npm run bench:supervisor — this program beside pm2 and supervisord, in one run, with the same program under each:
// from a kill -9 to the start of the next one (all delays set to 0), the processor and memory of the idle supervisor,
// and what keeping the log costs the engine. pm2 and supervisord are installed into a directory of their own, for this
// only. The program is the stand-in engine of the tests, as vLLM is: an API server whose EngineCore and Worker outlive it
// (`orphans`), and the same without children (`alone`), where there is nothing to prove.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { loadTypeScript } from '../scripts/flags/typescript.mjs';
import { createHome, freePort, median, report } from './lib.mjs';
import { answers, readMarks, readRss, readStat, until, writeProgram } from './supervisor/program.mjs';
import { installPeers, pm2, startOurs, supervisord } from './supervisor/under.mjs';

/** Crashes of one deployment: more within an hour are a crash loop, which is not what is measured here. */
const crashesPerHome = 5;
const homes = Number(process.env.ROUNDS ?? 4);
const idleMs = Number(process.env.IDLE_MS ?? 60_000);
/** Below our cap: what keeping a log costs. */
const logBytes = 60 * 2 ** 20;
/** Above it, as fast as it goes: cut while it is written, what no peer does here. */
const floodBytes = 300 * 2 ** 20;

const { home, env, remove } = createHome();
const place = { home, env, tools: join(home, 'tools') };
const { sweep } = await loadTypeScript('scripts/faults/swept.ts');
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    sweep(home);
    process.exit(130);
  });
}
try {
  installPeers(place);
  const times = { ours: [], oursAlone: [], pm2: [], supervisord: [] };
  for (let round = 0; round < homes; round += 1) {
    // In turn, so that a drifting machine hurts all alike.
    times.ours.push(...(await respawnOurs({ children: true })));
    times.oursAlone.push(...(await respawnOurs({ children: false })));
    times.pm2.push(...(await respawnPeer(pm2)));
    times.supervisord.push(...(await respawnPeer(supervisord)));
  }
  const idle = await measureIdle();
  const log = await measureLog(logBytes);
  const flood = await measureLog(floodBytes);
  console.log(`crash to respawn, ms (${times.ours.length} each): ${toTable(times)}`);
  console.log(`idle for ${idleMs / 1000} s: ${toTable(idle)}`);
  for (const [bytes, seconds] of [
    [logBytes, log],
    [floodBytes, flood],
  ])
    console.log(`${bytes / 2 ** 20} MiB of log, s: ${toTable(seconds)}`);
  const p50 = Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]));
  report('bench:supervisor', [
    { name: 'crash → respawn, orphans ended and proven gone / pm2, which proves nothing', value: p50.ours / p50.pm2, bar: 5, unit: ' ×' },
    { name: 'crash → respawn, nothing to prove / pm2', value: p50.oursAlone / p50.pm2, bar: 5, unit: ' ×', note: 'for comparison' },
    {
      name: 'crash → respawn, orphans ended / supervisord, which proves nothing',
      value: p50.ours / p50.supervisord,
      bar: Infinity,
      unit: ' ×',
      note: 'shown',
    },
    { name: 'idle processor of our supervisor', value: idle.ours.cpuPercent, bar: 0.5, unit: ' %' },
    { name: 'idle processor of pm2', value: idle.pm2.cpuPercent, bar: Infinity, unit: ' %', note: 'shown' },
    { name: 'idle processor of supervisord', value: idle.supervisord.cpuPercent, bar: Infinity, unit: ' %', note: 'shown' },
    {
      name: 'resident memory of our supervisor and keeper / of pm2',
      value: idle.ours.rssMiB / idle.pm2.rssMiB,
      bar: 1.3,
      unit: ' ×',
      note: 'of one deployment: each has a supervisor of its own here, pm2 and supervisord have one for all',
    },
    {
      name: 'resident memory of our supervisor and keeper / of supervisord',
      value: idle.ours.rssMiB / idle.supervisord.rssMiB,
      bar: Infinity,
      unit: ' ×',
      note: 'shown',
    },
    { name: 'writing the log under us / into a plain file', value: log.ours / log.plain, bar: 1.15, unit: ' ×' },
    { name: 'writing the log under pm2 / into a plain file', value: log.pm2 / log.plain, bar: Infinity, unit: ' ×', note: 'shown' },
    {
      name: 'a flood of 300 MiB under us, cut at 100 MB on the way / into a plain file',
      value: flood.ours / flood.plain,
      bar: Infinity,
      unit: ' ×',
      note: 'shown',
    },
    {
      name: 'writing the log under supervisord / into a plain file',
      value: log.supervisord / log.plain,
      bar: Infinity,
      unit: ' ×',
      note: 'shown',
    },
  ]);
} finally {
  remove();
}

/** Kills the program again and again, each time after it serves and its supervisor says so; ms to the next one's begin. */
async function crash({ marks, port }, settled) {
  const times = [];
  for (let n = 0; n < crashesPerHome; n += 1) {
    await until('it serves', () => answers(port));
    await settled();
    const seen = readMarks(marks);
    const killedAt = Date.now();
    process.kill(seen.at(-1)[1], 'SIGKILL');
    await until('it is started again', () => readMarks(marks).length > seen.length);
    times.push(readMarks(marks)[seen.length][0] - killedAt);
  }
  return times;
}

async function respawnOurs(shape) {
  const ours = await startOurs(place, shape);
  try {
    return await crash(ours, () => until('it is ready', async () => (await ours.status()).state === 'ready'));
  } finally {
    await ours.end();
  }
}

/** A peer calls a program running when it was started; it is given a moment, so that no crash counts as one while starting. */
async function respawnPeer(startPeer) {
  const peer = await startPeer(
    place,
    writeProgram(join(home, `peer-${Math.random().toString(36).slice(2)}`), { children: true, port: await freePort() }),
  );
  try {
    return await crash(peer, () => wait(1500));
  } finally {
    await peer.end();
  }
}

/** Processor share and resident memory of each supervisor while its engine serves and has nothing to do. */
async function measureIdle() {
  const ours = await startOurs(place, { children: true });
  const others = [];
  for (const start of [pm2, supervisord]) {
    others.push(await start(place, writeProgram(join(home, `idle-${start.name}`), { children: true, port: await freePort() })));
  }
  try {
    for (const { port } of [ours, ...others]) await until('it serves', () => answers(port));
    const { pid, supervisor } = await ours.status();
    // The parent of the engine keeps its exit status, and is ours too.
    const pids = { ours: [supervisor.pid, readStat(pid).parent], pm2: [others[0].pid], supervisord: [others[1].pid] };
    const toTicks = (all) => all.reduce((sum, one) => sum + readStat(one).ticks, 0);
    // What a start costs is not idleness.
    await wait(15_000);
    const before = Object.fromEntries(Object.entries(pids).map(([name, all]) => [name, toTicks(all)]));
    await wait(idleMs);
    return Object.fromEntries(
      Object.entries(pids).map(([name, all]) => {
        const seconds = (toTicks(all) - before[name]) / 100;
        return [name, { cpuPercent: (seconds * 100_000) / idleMs, rssMiB: all.reduce((sum, one) => sum + readRss(one), 0) }];
      }),
    );
  } finally {
    for (const one of [ours, ...others]) await one.end();
  }
}

/** Seconds that a program needs to write its log: to a plain file, under us, under each peer. Each measured by the program itself. */
async function measureLog(bytes) {
  const all = { plain: [], ours: [], pm2: [], supervisord: [] };
  for (let round = 0; round < 5; round += 1) {
    all.plain.push(await writePlain(bytes));
    const ours = await startOurs(place, { children: false, more: [`engine.env=${JSON.stringify({ WRITE_BYTES: String(bytes) })}`] });
    all.ours.push(await readWritten(ours));
    await ours.end();
    for (const start of [pm2, supervisord]) {
      const made = writeProgram(join(home, `log-${start.name}-${bytes}-${round}`), { children: false, port: await freePort() });
      const peer = await start({ ...place, env: { ...env, WRITE_BYTES: String(bytes) } }, made);
      all[start.name].push(await readWritten(peer));
      await peer.end();
    }
  }
  return Object.fromEntries(Object.entries(all).map(([name, values]) => [name, median(values)]));
}

async function writePlain(bytes) {
  const made = writeProgram(join(home, `plain-${Math.random().toString(36).slice(2)}`), { children: false, port: await freePort() });
  const file = join(made.program, '../out.log');
  const child = spawn('sh', ['-c', `exec "${made.program}" ${made.args.join(' ')} >> "${file}" 2>&1`], {
    env: { ...env, WRITE_BYTES: String(bytes) },
  });
  const seconds = await readWritten(made);
  child.kill('SIGKILL');
  return seconds;
}

async function readWritten({ port }) {
  let seconds;
  await until(
    'the log is written',
    async () => {
      const text = await fetch(`http://127.0.0.1:${port}/written`).then(
        (reply) => reply.text(),
        () => '',
      );
      seconds = Number(text || Number.NaN);
      return Number.isFinite(seconds);
    },
    180_000,
  );
  return seconds;
}

function toTable(numbers) {
  return Object.entries(numbers)
    .map(([name, value]) => `${name} ${toText(value)}`)
    .join(', ');
}

function toText(value) {
  if (Array.isArray(value)) return `p50 ${median(value).toFixed(0)} max ${Math.max(...value)}`;
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([key, one]) => `${key} ${one.toFixed(2)}`)
      .join(' ');
  return value.toFixed(2);
}
