import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../../src/core/clock.ts';
import type { DeploymentEvent, LifeEvent } from '../../../src/core/event.ts';
import type { Message } from '../../../src/core/message.ts';
import { isDead, readProcess } from '../../../src/host/proc.ts';
import type { Notification, NotifyOn } from '../../../src/profile/profile.ts';
import { Notifier } from '../../../src/supervisor/notify/notify.ts';
import { toNews, toTold } from '../../../src/supervisor/notify/transition.ts';
import type { State } from '../../../src/supervisor/state.ts';
import { toText } from '../../../src/text/render.ts';
import { createFakeClock, type FakeClock } from '../fake-clock.ts';
import { makeState, makeWanted } from '../make.ts';

const exit = { cause: 'exit', at: '2026-01-01T00:00:00Z', code: 1, reason: 'oom', line: 'out of memory; key was s3cret-value' };
const failed: LifeEvent = { type: 'failed', exit };
const ready: LifeEvent = { type: 'ready', elapsedMs: 1, servedNames: ['a'] };
const stopped: LifeEvent = { type: 'stopped' };
const again = { attempt: 1, delayMs: 1, nextStartAt: '' };

let seq = 0;
function stamped(event: LifeEvent, run = 1): DeploymentEvent {
  seq += 1;
  return { seq, at: '2026-01-01T00:00:00.000Z', deployment: 'tiny', run, ...event };
}

describe('what is news', () => {
  const run = (events: readonly (readonly [LifeEvent, number?])[], state: State = makeState()) => {
    const all: string[] = [];
    events.reduce((told, [event, number]) => {
      const [next, names] = toNews(told, stamped(event, number));
      all.push(names.join('+'));
      return next;
    }, toTold(state));
    return all.filter((names) => names !== '');
  };
  const requested: LifeEvent = { type: 'requested', desired: 'up', by: 'up' };
  const backoff: LifeEvent = { type: 'backoff', ...again };
  const crashloop: LifeEvent = { type: 'crashloop', ...again };
  const degraded: LifeEvent = { type: 'degraded', reason: 'slow' };
  const healthy: LifeEvent = { type: 'health', ready: true };
  const preflight: LifeEvent = { type: 'preflight' };

  it.each<readonly [string, readonly (readonly [LifeEvent, number?])[], readonly string[]]>([
    ['a first start and its end', [[requested], [preflight], [ready], [stopped]], ['ready', 'stopped']],
    ['down of what is down', [[stopped]], []],
    [
      'a failure that is cured',
      [
        [ready, 1],
        [backoff, 1],
        [preflight, 2],
        [ready, 2],
      ],
      ['ready', 'restarted+ready'],
    ],
    ['a restart that was asked for', [[backoff, 1], [requested], [ready, 2]], ['ready']],
    ['a crash loop, once', [[crashloop], [crashloop], [ready, 4], [crashloop]], ['crashloop', 'restarted+ready', 'crashloop']],
    ['slowness, once until it is over', [[ready], [degraded], [degraded], [healthy], [degraded]], ['ready', 'degraded', 'degraded']],
    ['a hang', [[ready], [{ type: 'unhealthy', cause: 'stall', forMs: 1 }]], ['ready', 'unhealthy']],
    ['the end of all tries', [[backoff], [failed]], ['failed']],
    ['notes', [[{ type: 'note', note: { id: 'life.notify-dropped', params: {} } }]], []],
    ['another last configuration', [[{ type: 'rolling-back', reason: 'a' }], [ready, 2]], ['restarted+ready']],
  ])('%s', (_, events, expected) => {
    expect(run(events)).toEqual(expected);
  });

  it.each<readonly [string, Partial<State>, readonly string[]]>([
    ['an engine that is adopted is none', { life: 'ready', run: 3, readyAt: '2026-01-01T00:00:00Z' }, []],
    ['one that failed before is restarted', { life: 'backoff', run: 2, failures: 1, desired: 'up' }, ['restarted+ready']],
  ])('to a supervisor that takes over: %s', (_, state, expected) => {
    expect(run([[ready, 3]], makeState(state))).toEqual(expected);
  });
});

interface Request {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let directory: string;
let server: Server;
let url: string;
let requests: Request[];
/** Status of each answer; the last one stays. 0: none at all. */
let answers: number[];
let notes: Message[];
let clock: FakeClock;
let notifier: Notifier;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-notify-'));
  [requests, answers, notes] = [[], [200], []];
  clock = createFakeClock();
  server = createServer(async (request, reply) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    requests.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
    const status = answers.length > 1 ? answers.shift() : answers[0];
    if (status) reply.writeHead(status, { location: '/elsewhere' }).end('its answer');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await notifier?.release();
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

interface Telling {
  readonly secrets?: Readonly<Record<string, string>>;
  readonly state?: Partial<State>;
  readonly secretEnv?: Readonly<Record<string, `env:${string}`>>;
}

function start(notify: readonly Notification[], { secrets = {}, state = {}, secretEnv = {} }: Telling = {}): Notifier {
  const wanted = { ...makeWanted('a', { secretEnv }), notify };
  notifier = new Notifier({
    now: () => makeState({ wanted, life: 'failed', lastExit: exit, ...state }),
    note: (note) => notes.push(note),
    secrets: () => secrets,
    env: { PATH: process.env.PATH, HOME: directory, HF_TOKEN: 'hf-private', OTHER_TOOL_TOKEN: 'private' },
    toText,
    clock,
  });
  return notifier;
}

const all: readonly NotifyOn[] = ['ready', 'failed', 'crashloop', 'degraded', 'unhealthy', 'restarted', 'stopped'];
const hook = (changes: Partial<Extract<Notification, { webhook: string }>> = {}): Notification => ({
  on: all,
  webhook: `${url}/hook`,
  headers: {},
  timeoutMs: 2000,
  ...changes,
});
const program = (command: readonly string[], timeoutMs = 5000): Notification => ({ on: all, command, timeoutMs });
const problems = () => notes.map(({ id, params }) => `${id} ${Object.values(params).map(toWord).join(' ')}`);
const toWord = (value: unknown) => (typeof value === 'object' ? toText(value as Message) : String(value));
const untilNoted = () => expect.poll(problems, { timeout: 5000 });
const untilAsked = (count: number) => expect.poll(() => requests.length, { timeout: 5000 }).toBe(count);
const inFile = (name: string) => readFile(join(directory, name), 'utf8').catch(() => '');

async function writeScript(text: string): Promise<string> {
  const path = join(directory, 'hook.sh');
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o700);
  return path;
}

describe('a command', () => {
  it('gets the event as words, as variables and as JSON, and nothing that is not its business', async () => {
    const script = await writeScript(`cat > ${directory}/in; echo "$@" > ${directory}/args; env > ${directory}/env; : > ${directory}/done`);
    start([program([script, '{deployment} {event} {state} {cause} {other}'])]).take(stamped(failed));
    await expect
      .poll(() =>
        readFile(join(directory, 'done'))
          .then(() => true)
          .catch(() => false),
      )
      .toBe(true);
    expect(await inFile('args')).toBe('tiny failed failed oom {other}\n');
    const variables = await inFile('env');
    expect(variables).toMatch(/^QWEN_DEPLOY_EVENT=failed$/m);
    expect(variables).toMatch(/^QWEN_DEPLOY_DEPLOYMENT=tiny$/m);
    expect(variables).toMatch(/^QWEN_DEPLOY_STATE=failed$/m);
    expect(variables).toMatch(/^QWEN_DEPLOY_CAUSE=oom$/m);
    expect(variables).not.toContain('private');
    expect(JSON.parse(await inFile('in'))).toMatchObject({
      kind: 'Event',
      version: 1,
      type: 'failed',
      transition: 'failed',
      deployment: 'tiny',
      state: 'failed',
      cause: 'oom',
      summary: 'tiny has failed and is not started again (oom).',
      exit: { code: 1 },
    });
    await notifier.release();
    expect(notes).toEqual([]);
  });

  it('that fails is noted once, with the end of what it said', async () => {
    const script = await writeScript('echo first >&2; echo no bus >&2; exit 3');
    start([program([script])]);
    for (const event of [failed, failed, failed]) notifier.take(stamped(event));
    await untilNoted().toEqual([`life.notify-failed ${script} failed it ended with exit code 3: no bus`]);
    await notifier.release();
    expect(notes).toHaveLength(1);
  });

  it('that is not there is noted', async () => {
    start([program([join(directory, 'none')])]).take(stamped(failed));
    await untilNoted().toEqual([expect.stringMatching(/ENOENT$/)]);
  });

  it('that need not read is no failure', async () => {
    start([program(['true'])]).take(stamped({ ...failed, exit: { ...exit, line: 'x'.repeat(200_000) } }));
    await notifier.release();
    expect(notes).toEqual([]);
  });

  it('that hangs is ended at its limit, with what it started', async () => {
    const script = await writeScript(`sleep 600 & echo $! > ${directory}/pid; wait`);
    start([program([script], 300)]).take(stamped(failed));
    await expect.poll(() => inFile('pid')).not.toBe('');
    const pid = Number(await inFile('pid'));
    await passTime(300);
    await untilNoted().toEqual([expect.stringMatching(/ETIMEDOUT$/)]);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('that leaves a program behind has ended all the same', async () => {
    const script = await writeScript(`sleep 600 >/dev/null & echo $! > ${directory}/pid`);
    start([program([script])]).take(stamped(failed));
    await notifier.release();
    expect(notes).toEqual([]);
    process.kill(Number(await inFile('pid')));
  });

  it('under way is ended soon after the supervisor', async () => {
    const script = await writeScript(`echo $$ > ${directory}/pid; exec sleep 600`);
    start([program([script], 60_000)]).take(stamped(failed));
    await expect.poll(() => inFile('pid')).not.toBe('');
    const released = notifier.release();
    await passTime(2000);
    await released;
    expect(problems()).toEqual([expect.stringContaining('the supervisor ended first')]);
    expect(await isAlive(Number(await inFile('pid')))).toBe(false);
  });

  it('runs four times at once at most, and what is too much is left out', async () => {
    const script = await writeScript(`echo run >> ${directory}/runs; while [ ! -e ${directory}/go ]; do sleep 0.05; done`);
    start([program([script], 60_000)]);
    for (let n = 0; n < 120; n += 1) notifier.take(stamped(failed));
    const runs = async () => (await inFile('runs')).split('\n').length - 1;
    await expect.poll(runs).toBe(4);
    await waitFor(100);
    expect(await runs()).toBe(4);
    expect(problems()).toEqual(['life.notify-dropped ']);
    const released = notifier.release();
    await passTime(2000);
    await released;
    expect(await runs()).toBe(4);
  });
});

async function passTime(ms: number): Promise<void> {
  await waitFor(20);
  await clock.advance(ms);
}

const isAlive = async (pid: number) => !isDead(await readProcess(pid));

describe('a webhook', () => {
  it('gets the event as JSON, with its headers; only of what was chosen', async () => {
    start([hook({ on: ['failed'], headers: { 'x-team': 'search', authorization: 'env:HOOK_TOKEN' } })], {
      secrets: { HOOK_TOKEN: 'Bearer s3cret-value' },
    });
    for (const event of [stopped, ready, failed]) notifier.take(stamped(event));
    await untilAsked(1);
    const [{ headers, body, url: path } = { headers: {}, body: '{}', url: '' }] = requests;
    expect(path).toBe('/hook');
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-team': 'search', authorization: 'Bearer s3cret-value' });
    expect(JSON.parse(body)).toMatchObject({
      kind: 'Event',
      type: 'failed',
      deployment: 'tiny',
      state: 'failed',
      summary: expect.any(String),
    });
    await notifier.release();
    expect(notes).toEqual([]);
  });

  it('that is restarted is told so rather than that it is ready', async () => {
    start([hook({ on: ['ready', 'restarted'] })], { state: { life: 'ready', failures: 1, desired: 'up' } }).take(stamped(ready, 2));
    await untilAsked(1);
    expect(JSON.parse(requests[0]?.body ?? '')).toMatchObject({ type: 'ready', transition: 'restarted', cause: 'oom' });
  });

  it('that is busy is asked again: 500, then 200', async () => {
    answers = [500, 200];
    start([hook()]).take(stamped(failed));
    await untilAsked(1);
    await passTime(1000);
    await untilAsked(2);
    await notifier.release();
    expect(notes).toEqual([]);
  });

  it('that stays broken is asked three times, and noted once', async () => {
    answers = [503];
    start([hook()]).take(stamped(failed));
    for (const [count, pauseMs] of [
      [1, 1000],
      [2, 5000],
    ] as const) {
      await untilAsked(count);
      await passTime(pauseMs);
    }
    await untilNoted().toEqual([`life.notify-failed ${new URL(url).host} failed it answered with status 503`]);
    expect(requests).toHaveLength(3);
  });

  it.each([404, 301])('that answers %d is not asked again', async (status) => {
    answers = [status];
    start([hook()]).take(stamped(failed));
    await untilNoted().toEqual([expect.stringContaining(`status ${status}`)]);
    expect(requests).toHaveLength(1);
  });

  it('that hangs is given up at its limit', async () => {
    answers = [0];
    start([hook({ timeoutMs: 50 })]).take(stamped(failed));
    await untilAsked(1);
    for (const pauseMs of [1000, 5000]) {
      await waitFor(150);
      await passTime(pauseMs);
    }
    await untilNoted().toEqual([expect.stringContaining('ETIMEDOUT')]);
    expect(requests).toHaveLength(3);
  });

  it('by reference: neither its address nor a key nor a secret of the engine is told to anybody else', async () => {
    const secrets = { HOOK: `${url.replace('//', '//me:pass-word@')}/secret-path`, BAD: 'line\nbreak-secret', API_KEY: 's3cret-value' };
    start([hook({ webhook: 'env:HOOK' }), hook({ webhook: 'env:HOOK', headers: { a: 'env:BAD' } }), hook({ webhook: 'env:NOT_SET' })], {
      secrets,
      secretEnv: { VLLM_API_KEY: 'env:API_KEY' },
    });
    notifier.take(stamped(failed));
    await untilAsked(1);
    expect(requests[0]).toMatchObject({ url: '/secret-path', headers: { authorization: `Basic ${btoa('me:pass-word')}` } });
    expect(requests[0]?.body).toContain('key was [REDACTED]');
    await expect.poll(() => notes.length).toBe(2);
    expect(problems().join('\n')).toMatch(/env:NOT_SET/);
    expect(JSON.stringify(notes)).not.toMatch(/pass-word|secret-path|break-secret|s3cret/);
  });

  it('without an address is noted', async () => {
    start([hook({ webhook: 'env:HOOK' })], { secrets: { HOOK: 'ftp://a.example/private' } }).take(stamped(failed));
    await untilNoted().toEqual(['life.notify-failed env:HOOK failed the address is no http:// or https:// URL']);
  });
});
