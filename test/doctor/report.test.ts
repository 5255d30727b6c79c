import { describe, expect, test } from 'vitest';
import { DeployError } from '../../src/core/error.ts';
import type { Finding } from '../../src/core/finding.ts';
import { say } from '../../src/core/message.ts';
import type { Check, CheckOutcome, CheckResult, CheckStatus, DoctorContext } from '../../src/doctor/check.ts';
import { readHostFacts } from '../../src/doctor/host-facts.ts';
import { runChecks } from '../../src/doctor/run-checks.ts';
import { type Findings, toConclusion } from '../../src/doctor/verdict.ts';
import { toDoctorStatus } from '../../src/operate/doctor.ts';
import { toText } from '../../src/text/render.ts';
import { createFakeClock } from '../supervisor/fake-clock.ts';
import { createMachine, createSubject } from './stand-ins.ts';

const fine: CheckOutcome = { status: 'pass', message: say('doctor.status.pass') };
const bad: CheckOutcome = { status: 'fail', message: say('doctor.status.fail') };

function toCheck(id: string, run: Check['run'], more: Partial<Check> = {}): Check {
  return { id, group: 'host', run, ...more };
}

function ask(checks: readonly Check[], machine: DoctorContext, parts: Partial<Parameters<typeof runChecks>[1]> = {}) {
  return runChecks(checks, { signal: machine.signal, toContext: (signal) => ({ ...machine, signal }), ...parts });
}

describe('running checks', () => {
  test('answers come in the order of the checks, whoever is first', async () => {
    const late = toCheck('host.late', () => new Promise((resolve) => setImmediate(() => resolve(fine))));
    const results = await ask([late, toCheck('host.quick', () => bad)], createMachine());
    expect(results.map(({ id, status }) => [id, status])).toEqual([
      ['host.late', 'pass'],
      ['host.quick', 'fail'],
    ]);
  });

  test('what a check throws is that it could not be answered', async () => {
    const [thrown, rejected] = await ask(
      [
        toCheck('host.thrown', () => {
          throw new Error('of glass');
        }),
        toCheck('host.rejected', () => Promise.reject(new Error('of clay'))),
      ],
      createMachine(),
    );
    expect([thrown?.status, thrown && toText(thrown.message)]).toEqual(['skip', 'could not be answered: of glass']);
    expect([rejected?.status, rejected && toText(rejected.message)]).toEqual(['skip', 'could not be answered: of clay']);
  });

  test.each([
    [undefined, 1500, '1.5 s'],
    [12_000, 12_000, '12 s'],
  ])('with the limit %s it is given up after %d ms: unknown, and what it started is ended', async (limitMs, ms, words) => {
    const clock = createFakeClock();
    let ended = false;
    const hangs = toCheck(
      'host.hangs',
      ({ signal }) =>
        new Promise<CheckOutcome>(() => {
          signal.addEventListener('abort', () => {
            ended = true;
          });
        }),
      limitMs === undefined ? {} : { limitMs },
    );
    const asked = ask([hangs], createMachine(), { clock });
    await clock.advance(ms - 1);
    expect(ended).toBe(false);
    await clock.advance(1);
    const [result] = await asked;
    expect([result?.status, result && toText(result.message), ended]).toEqual(['skip', `no answer within ${words}: unknown`, true]);
  });

  test('an abort ends all of it at once', async () => {
    const stop = new AbortController();
    const machine = createMachine({ signal: stop.signal });
    const asked = ask([toCheck('host.hangs', () => new Promise<CheckOutcome>(() => undefined))], machine, { clock: createFakeClock() });
    stop.abort(new Error('Ctrl-C'));
    await expect(asked).rejects.toThrow('Ctrl-C');
  });

  test.each<[CheckStatus, boolean, boolean | undefined, boolean]>([
    ['fail', true, true, true],
    ['fail', true, false, false],
    ['fail', true, undefined, false],
    ['fail', false, true, false],
    ['warn', true, true, false],
  ])('%s, with a subject: %s, needed by it: %s', async (status, hasSubject, isNeeded, needed) => {
    const subject = hasSubject ? { subject: await createSubject('tiny') } : {};
    const machine = createMachine(subject);
    const check = toCheck('host.x', () => ({ ...bad, status }), isNeeded === undefined ? {} : { isNeeded: () => isNeeded });
    expect((await ask([check], machine))[0]).toMatchObject({ status, needed });
  });
});

const nothing: Findings = {
  checks: [],
  host: { architecture: 'x64', node: '20' },
  gpus: [],
  backends: {
    process: { available: true, why: say('doctor.backend.simulator') },
    docker: { available: false, why: say('doctor.backend.simulator') },
    simulator: { available: true, why: say('doctor.backend.simulator') },
  },
  findings: [],
  profiles: [
    { name: 'int4', verdict: 'runs-well', why: say('rank.simulated') },
    { name: 'tiny', verdict: 'runs', why: say('rank.simulated') },
    { name: 'demo', verdict: 'runs', why: say('rank.simulated') },
    { name: 'tp2', verdict: 'no', why: say('rank.simulated') },
  ],
};

function toResult(status: CheckStatus, parts: Partial<CheckResult> = {}): CheckResult {
  return { id: `host.${status}`, group: 'host', status, message: say('doctor.status.pass'), needed: false, ...parts };
}

const finding = (severity: Finding['severity']): Finding => ({ code: 'plan/x', severity, message: say('doctor.status.warn') });

describe('what it comes to', () => {
  const invalid = { ref: './a.yaml', error: DeployError.of('profile/invalid', { source: './a.yaml', count: 2 }) };
  const silent = { ref: 'auto', error: DeployError.of('host/gpu-silent', { signs: '/dev/nvidia0', evidence: 'it hangs' }) };
  test.each<[string, Partial<Findings>, string, number, number]>([
    ['all is well', { checks: [toResult('pass'), toResult('skip')] }, 'ok', 0, 0],
    ['a warning', { checks: [toResult('warn')] }, 'warn', 0, 10],
    ['a failure that nothing needs', { checks: [toResult('fail')] }, 'warn', 0, 10],
    ['a failure that is needed', { checks: [toResult('warn'), toResult('fail', { needed: true })] }, 'error', 4, 4],
    ['a warning of the plan', { findings: [finding('warning')] }, 'warn', 0, 10],
    ['a note of the plan', { findings: [finding('info')] }, 'ok', 0, 0],
    ['an error of the plan', { findings: [finding('error')] }, 'error', 4, 4],
    ['an invalid profile', { problem: invalid, checks: [toResult('fail')] }, 'error', 3, 3],
    ['no profile because a GPU is silent', { problem: silent }, 'error', 4, 4],
  ])('%s', (_, parts, verdict, status, strict) => {
    const found = { ...nothing, ...parts };
    const report = { ...found, ...toConclusion(found) };
    expect([report.verdict, toDoctorStatus(report, { strict: false }), toDoctorStatus(report, { strict: true })]).toEqual([
      verdict,
      status,
      strict,
    ]);
  });

  const failed = toResult('fail', { id: 'gpu.memory', needed: true });
  const held = toResult('fail', { id: 'gpu.memory-free', needed: true });
  const sets = { is: 'profile', set: { 'server.port': 8001 } } as const;
  const command = { is: 'command', command: 'sudo apt install x' } as const;
  test.each<[string, Partial<Findings>, { asked?: boolean; running?: boolean }, string | undefined]>([
    ['it can run', {}, {}, 'qwen-deploy up -p fp8'],
    ['it is up', {}, { running: true }, 'qwen-deploy status fp8'],
    ['a setting cures it', { checks: [{ ...failed, fix: sets }] }, {}, 'qwen-deploy up -p fp8 --set server.port=8001'],
    ['a setting cures half of it', { checks: [{ ...failed, fix: sets }, failed] }, {}, 'qwen-deploy up -p int4'],
    ['another one runs well', { checks: [failed] }, {}, 'qwen-deploy up -p int4'],
    ['what is left is for up to choose', { checks: [failed], profiles: nothing.profiles.slice(1) }, {}, 'qwen-deploy up'],
    ['something else holds the GPU, so that no other one runs either', { checks: [held] }, {}, 'qwen-deploy explain gpu.memory-free'],
    ['a command mends it', { checks: [failed, { ...held, fix: command }] }, { asked: false }, 'sudo apt install x'],
    [
      'what is left runs on another machine',
      { checks: [failed], elsewhere: 'L4', profiles: nothing.profiles.slice(1) },
      {},
      'qwen-deploy up -p tiny',
    ],
    ['nothing runs', { checks: [failed], profiles: [] }, {}, undefined],
  ])('next, when %s', async (_, parts, about, next) => {
    const subject = await createSubject('fp8', about);
    expect(toConclusion({ ...nothing, subject, ...parts }).next).toBe(next);
  });

  test('next, when the GPU is silent: up would not step down from it', async () => {
    const facts = { gpus: { is: 'silent', signs: [], evidence: say('gpu.no-smi') } } as const;
    const subject = await createSubject('fp8', { facts });
    expect(toConclusion({ ...nothing, subject, checks: [failed], profiles: nothing.profiles.slice(1) }).next).toBe(
      'qwen-deploy up -p tiny',
    );
  });

  test('next, where nothing could be chosen: what mends the GPU', () => {
    const mend = toResult('fail', { id: 'gpu.present', group: 'gpu', fix: { is: 'command', command: 'sudo modprobe nvidia' } });
    expect(toConclusion({ ...nothing, problem: silent }).next).toBe('nvidia-smi');
    expect(toConclusion({ ...nothing, problem: silent, checks: [mend] }).next).toBe('sudo modprobe nvidia');
  });

  test('next, of a broken profile', () => {
    expect(toConclusion({ ...nothing, problem: invalid }).next).toBe('qwen-deploy profiles check ./a.yaml');
  });
});

describe('the machine in a line', () => {
  test('what can be read', () => {
    const { root } = createMachine({
      files: {
        '/etc/os-release': 'NAME=X\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\n',
        '/proc/sys/kernel/osrelease': '5.15.167.4-microsoft-standard-WSL2\n',
        '/proc/self/status': 'Name:\tnode\nCpus_allowed_list:\t0-3,6\n',
        '/proc/meminfo': 'MemTotal:       16384 kB\nMemAvailable:    8192 kB\n',
        '/.dockerenv': '',
      },
    });
    expect(readHostFacts(root)).toEqual({
      distribution: 'Ubuntu 24.04.1 LTS',
      kernel: '5.15.167.4-microsoft-standard-WSL2',
      architecture: process.arch,
      cpus: 5,
      memoryTotalBytes: 2 ** 24,
      memoryAvailableBytes: 2 ** 23,
      container: 'docker',
      wsl: true,
      node: process.versions.node,
    });
  });

  test('what cannot be read is absent', () => {
    const { root } = createMachine({ files: { '/proc/meminfo': { directory: true }, '/proc/self/status': 'Cpus_allowed_list:\tmany\n' } });
    expect(readHostFacts(root)).toEqual({ architecture: process.arch, node: process.versions.node });
  });

  test.each([
    ['/run/systemd/container', 'lxc\n', 'lxc'],
    ['/run/.containerenv', '', 'podman'],
    ['/run/secrets/kubernetes.io/serviceaccount/namespace', 'default', 'kubernetes'],
  ])('%s tells of a container', (path, text, container) => {
    expect(readHostFacts(createMachine({ files: { [path]: text } }).root)).toMatchObject({ container });
  });
});
