/**
 * What goes wrong with a real vLLM, one scenario each, named by the faults that it shows (docs/faults.md). A scenario
 * takes the ready engine that the one before it may have left, and leaves either one of its own or nothing.
 */
import { readdir, readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import type { DeploymentEvent, StallCause, StartPhase } from '../../src/core/event.ts';
import { eventually, killQuietly } from '../scenarios/sandbox.ts';
import {
  ensureReady,
  ensureStopped,
  findLeftovers,
  findLeftoversStopped,
  findMember,
  observeLaunch,
  readEvents,
  readStatus,
  type Stage,
  signalMember,
  startReady,
  stop,
  type Times,
  toUpArgs,
  untilPhase,
  untilReplaced,
  untilState,
} from './stage.ts';
import { openStream, type Stream } from './stream.ts';

export interface Scenario {
  readonly name: string;
  /** Shown in CI by test/vllm/serving.test.ts already: only the proof plays it. */
  readonly inServing?: true;
  readonly play: (stage: Stage) => Promise<Outcome>;
}

export interface Outcome {
  readonly times: Times;
  /** In words; none is what there must be. */
  readonly leftovers: readonly string[];
}

const engineCore = 'VLLM::EngineCore';
const worker = 'VLLM::Worker';
/** The longest answer that the profile's context takes: seconds of work for the miniature; and one that is done sooner. */
const longest = 4000;
const short = 600;
/** What the supervisor gives a stop while the engine starts, and any kill. */
const startStopMs = 15_000;
const killMs = 10_000;

/** Each takes one launch; the order lets most of them have the one that the one before has started. */
export const supervision: readonly Scenario[] = [
  { name: 'C15 stop during import', play: (stage) => stopWhile(stage, ['spawned', 'importing']) },
  { name: 'C15 stop during configuration', play: (stage) => stopWhile(stage, ['configuring']) },
  { name: 'C15 stop during engine start', play: (stage) => stopWhile(stage, ['engine']) },
  { name: 'A4 D2 worker killed idle, then stop during back-off', play: stopInBackoff },
  { name: 'A1 A2 API server killed busy, its orphans ended before the next start', play: (stage) => killApi(stage, { busy: true }) },
  { name: 'A3 EngineCore killed busy', play: (stage) => killChild(stage, { title: engineCore, busy: true }) },
  { name: 'A4 worker killed busy', play: (stage) => killChild(stage, { title: worker, busy: true }) },
  { name: 'A1 A2 API server killed idle', inServing: true, play: (stage) => killApi(stage, { busy: false }) },
  { name: 'A3 EngineCore killed idle', inServing: true, play: (stage) => killChild(stage, { title: engineCore, busy: false }) },
  { name: 'E1 supervisor killed under load: engine untouched, adopted', inServing: true, play: killSupervisor },
  { name: 'D1 stop with streams that end in time', play: stopWithStreams },
  { name: 'D1 stop with a client that never hangs up', play: stopWithDeafClient },
  { name: 'D3 stop idle, asked twice at once; then stop and start at once', play: stopTwice },
  { name: 'D4 second Ctrl-C forces', play: interruptTwice },
  { name: 'stop idle', inServing: true, play: stopIdle },
];

/** With limits of seconds in place of minutes; see hangs.test.ts. */
export const hangs: readonly Scenario[] = [
  {
    name: 'B1 EngineCore frozen before a request arrives: its gauges stay at 0',
    play: (stage) => freeze(stage, { title: engineCore, work: 'after' }),
  },
  { name: 'B1 EngineCore frozen while a request runs', play: (stage) => freeze(stage, { title: engineCore, work: 'before' }) },
  { name: 'B1 worker frozen while a request runs', play: (stage) => freeze(stage, { title: worker, work: 'before' }) },
  {
    name: 'B2 EngineCore frozen with nothing to do: the canary finds it',
    play: (stage) => freeze(stage, { title: engineCore, work: 'none' }),
  },
];

async function stopWhile(stage: Stage, phases: readonly StartPhase[]): Promise<Outcome> {
  await ensureStopped(stage);
  const up = await stage.box.cli(...toUpArgs(stage), '--no-wait');
  expect(up.code, up.stderr).toBe(0);
  await untilPhase(stage, phases);
  const launch = await observeLaunch(stage);
  const stopped = await stop(stage);
  expect(stopped).toBeLessThan(startStopMs + killMs);
  const { phase, state } = await readStatus(stage);
  expect({ phase, state }).toEqual({ state: 'stopped' });
  return { times: { stop: stopped }, leftovers: await findLeftoversStopped(stage, launch) };
}

async function stopInBackoff(stage: Stage): Promise<Outcome> {
  await ensureReady(stage);
  const launch = await observeLaunch(stage);
  const since = Date.now();
  signalMember(launch, worker);
  const seen = await untilState(stage, ({ life }) => life === 'backoff', 60_000);
  // Ended and proven gone before anything is started again.
  const before = await findLeftovers(stage, launch);
  expect(seen.lastExit).toMatchObject({ cause: 'exit' });
  const stopped = await stop(stage);
  const events = await readEvents(stage);
  const end = events.findLastIndex(({ type }) => type === 'stopped');
  expect(events.slice(end + 1).map(({ type }) => type)).not.toContain('preflight');
  expect(await readStatus(stage)).toMatchObject({ state: 'stopped', run: seen.run });
  const found = Date.parse(events.findLast(({ type }) => type === 'exited')?.at ?? '') - since;
  return { times: { found, stop: stopped }, leftovers: [...before, ...(await findLeftoversStopped(stage, launch))] };
}

interface Death {
  readonly busy: boolean;
}

async function killApi(stage: Stage, { busy }: Death): Promise<Outcome> {
  const { restarts, pid = 0 } = await ensureReady(stage);
  const launch = await observeLaunch(stage);
  const core = findMember(launch, engineCore);
  // What they could be recognised by in their environment is overwritten with their title.
  expect(await readFile(`/proc/${core.pid}/environ`, 'utf8')).not.toContain(launch.record.launchId);
  const stream = busy ? await begin(stage, longest) : undefined;
  const since = Date.now();
  killQuietly(pid);
  const times = await untilReplaced(stage, launch, since);
  const leftovers = await findLeftovers(stage, launch);
  expect((await stream?.ended)?.finish).toBeUndefined();
  const { lastExit, restarts: after } = await readStatus(stage);
  expect({ lastExit, total: after.total }).toMatchObject({
    lastExit: { cause: 'exit', signal: 'SIGKILL' },
    total: restarts.total + 1,
  });
  expectOrphansEndedFirst(await readEvents(stage), launch.record.run);
  expect(times.found).toBeLessThan(5000);
  return { times, leftovers };
}

/** EngineCore lives on without its API server, and holds the memory that the next start needs. */
function expectOrphansEndedFirst(events: readonly DeploymentEvent[], run: number): void {
  const orphans = events.findIndex((event) => event.run === run && event.type === 'survivors');
  const next = events.findIndex((event) => event.run > run && event.type === 'launching');
  expect(events[orphans]).toMatchObject({
    survivors: expect.arrayContaining([expect.objectContaining({ command: expect.stringContaining(engineCore) })]),
  });
  expect(next).toBeGreaterThan(orphans);
}

interface ChildDeath extends Death {
  readonly title: string;
}

/** vLLM ends by itself then, with exit status 0: whether that was wanted is not for its status to say. */
async function killChild(stage: Stage, { title, busy }: ChildDeath): Promise<Outcome> {
  const { restarts } = await ensureReady(stage);
  const launch = await observeLaunch(stage);
  const stream = busy ? await begin(stage, longest) : undefined;
  const since = Date.now();
  signalMember(launch, title);
  const times = await untilReplaced(stage, launch, since);
  const leftovers = await findLeftovers(stage, launch);
  expect((await stream?.ended)?.finish).not.toBe('length');
  const { lastExit, restarts: after } = await readStatus(stage);
  expect({ lastExit, total: after.total }).toMatchObject({ lastExit: { cause: 'exit', code: 0 }, total: restarts.total + 1 });
  expect(times.found).toBeLessThan(15_000);
  return { times, leftovers };
}

async function killSupervisor(stage: Stage): Promise<Outcome> {
  const before = await ensureReady(stage);
  const launch = await observeLaunch(stage);
  const stream = await begin(stage, short);
  killQuietly(before.supervisor?.pid ?? 0);
  await eventually(
    () => readStatus(stage),
    ({ supervised }) => !supervised,
  );
  const asked = Date.now();
  const up = await stage.box.cli(...toUpArgs(stage), '-o', 'json');
  const adopted = Date.parse((await readEvents(stage)).findLast(({ type }) => type === 'adopted')?.at ?? '') - asked;
  expect(up.code, up.stderr).toBe(0);
  const { pid, launchId, run, restarts } = before;
  expect(up.json()).toMatchObject({ state: 'ready', supervised: true, pid, launchId, run, restarts: { total: restarts.total } });
  expect(adopted).toBeLessThan(5000);
  expect(await stream.ended).toMatchObject({ finish: 'length', tokens: short });
  const lost = (await Promise.all(launch.members.map(({ pid: one }) => isGone(one)))).filter(Boolean).length;
  expect(lost).toBe(0);
  return { times: { adopted }, leftovers: [] };
}

async function stopIdle(stage: Stage): Promise<Outcome> {
  await ensureReady(stage);
  const launch = await observeLaunch(stage);
  const stopped = await stop(stage);
  return { times: { stop: stopped }, leftovers: await findLeftoversStopped(stage, launch) };
}

async function stopWithStreams(stage: Stage): Promise<Outcome> {
  await ensureReady(stage);
  const launch = await observeLaunch(stage);
  const streams = await Promise.all([short, short, short].map((tokens) => begin(stage, tokens)));
  const asked = Date.now();
  const stopped = await stop(stage);
  for (const { ended } of streams) {
    const end = await ended;
    expect(end).toMatchObject({ finish: 'length', tokens: short });
    // Else the stop had nothing to wait for.
    expect(end.at).toBeGreaterThan(asked);
  }
  const events = await eventsOf(stage, launch.record.run);
  expect(events.map(({ type }) => type)).not.toContain('killing');
  expect(events).toContainEqual(expect.objectContaining({ type: 'drained', finished: 3, aborted: 0 }));
  return { times: { stop: stopped }, leftovers: await findLeftoversStopped(stage, launch) };
}

/** Past vLLM's own limit its API server stays for as long as somebody is connected: our deadline ends it. */
async function stopWithDeafClient(stage: Stage): Promise<Outcome> {
  const drainMs = 3000;
  await ensureStopped(stage);
  await startReady(stage, `stop.drain=${drainMs}ms`);
  const launch = await observeLaunch(stage);
  const streams = [openStream({ port: stage.port, maxTokens: longest, deaf: true })];
  for (let more = 0; more < 5; more += 1) streams.push(openStream({ port: stage.port, maxTokens: longest }));
  await Promise.all(streams.map(({ begun }) => begun));
  const stopped = await stop(stage);
  const leftovers = await findLeftoversStopped(stage, launch);
  const [deaf, ...others] = streams;
  for (const { ended } of others) expect((await ended).finish).not.toBe('length');
  deaf?.hangUp();
  const drained = (await eventsOf(stage, launch.record.run)).find((event) => event.type === 'drained');
  expect(drained).toMatchObject({ finished: 0, aborted: streams.length });
  expect(stopped).toBeLessThan(drainMs + killMs + killMs);
  return { times: { stop: stopped }, leftovers };
}

async function stopTwice(stage: Stage): Promise<Outcome> {
  await ensureReady(stage);
  const launch = await observeLaunch(stage);
  const [stopped] = await Promise.all([stop(stage), stop(stage)]);
  const leftovers = [...(await findLeftoversStopped(stage, launch))];
  const said = (await eventsOf(stage, launch.record.run)).filter(({ type }) => type === 'stopped');
  expect(said).toHaveLength(1);
  const ask = (...args: readonly string[]) => stage.box.cli(...args);
  expect((await ask(...toUpArgs(stage), '--no-wait')).code).toBe(0);
  await untilState(stage, ({ life, launch: record }) => life === 'starting' && record?.process !== undefined);
  const first = await observeLaunch(stage);
  const both = await Promise.all([ask('down', 'tiny'), ask(...toUpArgs(stage), '--no-wait')]);
  // Either may be told that the other was quicker.
  expect(both.map(({ code }) => code)).not.toContain(1);
  // Whoever came last has it; nobody has two.
  const { state, desired, launchId } = await readStatus(stage);
  expect(state === 'stopped').toBe(desired === 'down');
  if (launchId !== first.record.launchId) leftovers.push(...(await findLeftovers(stage, first)));
  if (desired === 'up') await stop(stage);
  leftovers.push(...(await findLeftoversStopped(stage, first)), ...(await findLeftovers(stage, await observeLaunch(stage))));
  return { times: { stop: stopped ?? 0 }, leftovers };
}

async function interruptTwice(stage: Stage): Promise<Outcome> {
  await ensureStopped(stage);
  const running = stage.box.start(...toUpArgs(stage), '--foreground');
  await untilState(stage, ({ life }) => life === 'ready');
  const launch = await observeLaunch(stage);
  const streams = await Promise.all([longest, longest].map((tokens) => begin(stage, tokens)));
  killQuietly(running.pid, 'SIGINT');
  await untilState(stage, ({ desired }) => desired === 'down');
  const from = performance.now();
  killQuietly(running.pid, 'SIGINT');
  const result = await running.result;
  const forced = performance.now() - from;
  const leftovers = await findLeftoversStopped(stage, launch);
  expect(result.code, result.stderr).toBe(130);
  for (const { ended } of streams) expect((await ended).finish).not.toBe('length');
  expect(forced).toBeLessThan(killMs);
  return { times: { forced }, leftovers };
}

interface Freeze {
  readonly title: string;
  /** When requests come: not at all, before it is frozen, or after. */
  readonly work: 'none' | 'before' | 'after';
}

async function freeze(stage: Stage, { title, work }: Freeze): Promise<Outcome> {
  const { restarts } = await ensureReady(stage);
  const launch = await observeLaunch(stage);
  const asking = new AbortController();
  if (work === 'before') {
    void keepAsking(stage, asking.signal);
    await eventually(
      () => readStatus(stage),
      ({ load }) => (load?.running ?? 0) > 0,
      60_000,
    );
  }
  const since = Date.now();
  signalMember(launch, title, 'SIGSTOP');
  expect((await fetch(`http://127.0.0.1:${stage.port}/health`)).status).toBe(200);
  const stream = work === 'after' ? openStream({ port: stage.port, maxTokens: longest }) : undefined;
  const times = await untilReplaced(stage, launch, since);
  asking.abort();
  stream?.hangUp();
  const leftovers = await findLeftovers(stage, launch);
  const cause: StallCause = work === 'none' ? 'canary' : 'stall';
  const after = await readStatus(stage);
  expect(after).toMatchObject({ lastExit: { cause }, restarts: { total: restarts.total + 1 } });
  expect(await eventsOf(stage, launch.record.run)).toContainEqual(expect.objectContaining({ type: 'unhealthy', cause }));
  const files = await readdir(after.lastExit?.bundle ?? '');
  // The API server, EngineCore and Python's resource tracker at least.
  expect(files.filter((name) => name.startsWith('process-')).length).toBeGreaterThanOrEqual(2);
  expect(files).toEqual(expect.arrayContaining(['about.json', 'log.txt', 'metrics-3.txt']));
  return { times, leftovers };
}

/** One after the other: the miniature is done with the longest answer in seconds. */
async function keepAsking({ port }: Stage, signal: AbortSignal): Promise<void> {
  let stream: Stream | undefined;
  signal.addEventListener('abort', () => stream?.hangUp(), { once: true });
  while (!signal.aborted) {
    stream = openStream({ port, maxTokens: longest });
    await stream.ended;
    await waitFor(300, signal);
  }
}

async function begin({ port }: Stage, maxTokens: number): Promise<Stream> {
  const stream = openStream({ port, maxTokens });
  await stream.begun;
  return stream;
}

async function eventsOf(stage: Stage, run: number): Promise<readonly DeploymentEvent[]> {
  return (await readEvents(stage)).filter((event) => event.run === run);
}

async function isGone(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')) === '';
}
