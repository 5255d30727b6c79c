import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { DeployError } from '../../src/core/error.ts';
import { say } from '../../src/core/message.ts';
import type { CheckResult } from '../../src/doctor/check.ts';
import type { DoctorReport } from '../../src/doctor/report.ts';
import { type DoctorLook, renderDoctor, toDoctorLook } from '../../src/views/doctor.ts';
import { toDoctorDocument } from '../../src/views/doctor-document.ts';
import { toWidth } from '../../src/views/tables.ts';
import { createSubject } from '../doctor/stand-ins.ts';
import { createScreen } from './samples.ts';

const text = (words: string) => say('plan.sentence', { text: words });
const gib = 2 ** 30;

function toResult(id: string, status: CheckResult['status'], words: string, more: Partial<CheckResult> = {}): CheckResult {
  const [group] = id.split('.');
  return { id, group: group as CheckResult['group'], status, message: text(words), needed: false, ...more };
}

const checks: readonly CheckResult[] = [
  toResult('gpu.present', 'pass', '1 GPU: NVIDIA L4'),
  toResult('gpu.memory-free', 'fail', '3.1 GiB are free, and the plan takes 19.1 GiB', {
    needed: true,
    hint: text('Stop what holds it: 显示进程 python (pid 4711), 16.2 GiB'),
    evidence: ['memory.free: 3174 MiB', '\u001b[31mred\u001b[0m'],
    fix: { is: 'profile', set: { 'vllm.gpu-memory-utilization': 0.12 } },
  }),
  toResult('gpu.mig', 'skip', 'it has none'),
  toResult('gpu.pcie', 'skip', 'it has none'),
  toResult('gpu.xid', 'skip', 'the kernel log cannot be read'),
  toResult('host.ram', 'pass', 'RAM: 20.7 GiB of 23.5 GiB free'),
  toResult('host.nofile', 'warn', 'open files: 1024, and 65536 are wanted', { fix: { is: 'command', command: 'ulimit -n 65536' } }),
  toResult('host.places', 'warn', 'others may write into /home/me/qwen', {
    hint: text('chmod 700 /home/me/qwen'),
    fix: { is: 'mode', path: '/home/me/qwen', mode: 0o700 },
  }),
  toResult('docker.reachable', 'skip', 'there is no Docker here'),
  toResult('docker.storage', 'skip', 'there is no Docker here'),
  toResult('network.hub', 'fail', 'the hub does not answer'),
];

let report: DoctorReport;
beforeAll(async () => {
  report = {
    verdict: 'error',
    summary: say('doctor.summary.no', { name: 'fp8', count: 1, place: say('doctor.place.here') }),
    next: 'qwen-deploy up -p fp8 --set vllm.gpu-memory-utilization=0.12',
    checks,
    host: {
      distribution: 'Ubuntu 24.04.1 LTS',
      kernel: '6.8.0-48-generic',
      architecture: 'x64',
      cpus: 16,
      memoryTotalBytes: 64 * gib,
      memoryAvailableBytes: 60 * gib,
      node: '20.20.2',
    },
    gpus: [
      {
        index: 0,
        name: 'NVIDIA L4',
        memoryTotalBytes: 22.5 * gib,
        memoryUsedBytes: 19.4 * gib,
        computeCapability: '8.9',
        driverVersion: '570.1',
        cudaVersion: '12.8',
        problems: [{ code: 'gpu/x', severity: 'warning', message: text('it is hot') }],
      },
    ],
    backends: {
      process: { available: true, why: say('doctor.backend.installed', { engines: 'gpu-0.32.0' }) },
      docker: { available: false, why: say('doctor.backend.no-docker', { socket: '/var/run/docker.sock' }) },
      simulator: { available: true, why: say('doctor.backend.simulator') },
    },
    subject: await createSubject('fp8'),
    findings: [{ code: 'plan/x', severity: 'warning', message: text('Something of the profile.'), hint: text('Leave it away.') }],
    profiles: [
      { name: 'fp8', verdict: 'runs-well', why: text('it has arithmetic for FP8') },
      { name: 'int4', verdict: 'runs-well', why: text('it fits') },
      { name: 'fp16', verdict: 'needs-change', why: text('it is too long'), set: { 'vllm.max-model-len': 4096 } },
      { name: 'tp2', verdict: 'no', why: text('it wants two GPUs') },
    ],
    memory: {
      gpu: 'GPU 0 (NVIDIA L4)',
      gpus: 1,
      totalBytes: 22 * gib,
      freeBytes: 3.1 * gib,
      budgetBytes: 19 * gib,
      weightsBytes: 4 * gib,
      activationBytes: gib,
      graphBytes: gib,
      overheadBytes: gib,
      kvBytes: 12 * gib,
      kvTokens: 87_381,
      maxConcurrency: 10.66,
      fits: 'yes',
      fitsNow: 'no',
      source: 'formula',
      suggestion: { message: text('Take less.'), set: { 'vllm.gpu-memory-utilization': 0.12 } },
    },
  };
});

function look(parts: Partial<DoctorLook> = {}): DoctorLook {
  return { palette: createScreen('plain').screen.palette, signs: false, verbose: false, ...parts };
}

describe('as text', () => {
  test.each<[string, Partial<DoctorLook>]>([
    ['piped', {}],
    ['verbose', { verbose: true }],
    ['100', { signs: true, columns: 100 }],
    ['40', { signs: true, columns: 40 }],
  ])('%s', async (name, parts) => {
    await expect(renderDoctor(report, look(parts))).toMatchFileSnapshot(`../golden/views/doctor-${name}.txt`);
  });

  test.each(Array.from({ length: 17 }, (_, index) => 40 + index * 5))('no line is wider than a terminal of %d columns', (columns) => {
    for (const verbose of [false, true]) {
      const lines = renderDoctor({ ...report, next: 'x' }, look({ signs: true, columns, verbose })).split('\n');
      // Words that are to be copied stay whole, and evidence is as it was read.
      const wide = lines.filter((line) => toWidth(line) > columns && !/--set|^ +→ run:|qwen-deploy doctor|memory\.free:/.test(line));
      expect(wide).toEqual([]);
    }
  });

  test('piped, nothing is an escape code, not even of others', () => {
    expect(renderDoctor(report, look({ verbose: true }))).not.toContain('\u001b');
  });

  test('in colour it says the same', () => {
    const { palette } = createScreen('tty', { colors: true }).screen;
    const colored = renderDoctor(report, look({ palette }));
    expect(colored).toContain('\u001b[31m');
    expect(stripVTControlCharacters(colored)).toBe(renderDoctor(report, look()));
  });

  test('a broken profile comes first', () => {
    const error = DeployError.of('profile/invalid', { source: './a.yaml', count: 2 });
    const { subject: _, ...rest } = report;
    const [first] = renderDoctor({ ...rest, problem: { ref: './a.yaml', error } }, look()).split('\n');
    expect(first).toBe('error: The profile ./a.yaml cannot be used (problems: 2). (profile/invalid)');
  });

  test('what was changed, with the checks before and after', () => {
    const applied = [
      {
        change: { is: 'mode', ids: ['host.places'], path: '/home/me/qwen', mode: 0o700 } as const,
        text: say('doctor.fix.mode', { path: '/home/me/qwen', mode: '0700' }),
        checks: [{ id: 'host.places', before: 'warn', after: 'pass' } as const],
      },
    ];
    expect(renderDoctor(report, look(), { fixed: { applied, advice: [] } })).toContain(
      'Changed\n  change the mode of /home/me/qwen to 0700\n    host.places: warn → ok\n',
    );
  });

  test('signs on a terminal, words elsewhere', () => {
    const terminal = createScreen('tty', { terminal: { columns: 88, rows: 20 } }).screen;
    expect(toDoctorLook(terminal, { verbose: true })).toMatchObject({ signs: true, columns: 88, verbose: true });
    expect(toDoctorLook(createScreen('plain').screen, { verbose: false })).not.toHaveProperty('columns');
  });
});

test('as a document', () => {
  const document = JSON.parse(JSON.stringify(toDoctorDocument(report)));
  expect(document).toMatchObject({
    kind: 'DoctorReport',
    version: 1,
    verdict: 'error',
    next: 'qwen-deploy up -p fp8 --set vllm.gpu-memory-utilization=0.12',
    profile: { name: 'fp8', source: 'shipped:fp8', deployment: 'fp8', backend: 'process', asked: true, running: false },
    host: { distribution: 'Ubuntu 24.04.1 LTS', cpus: 16 },
    gpus: [{ index: 0, memoryKind: 'unknown', driverVersion: '570.1', cudaVersion: '12.8', problems: [{ message: 'it is hot' }] }],
    backends: { simulator: { available: true, why: 'always: simulated answers, no model' } },
    findings: [{ code: 'plan/x', message: 'Something of the profile.', hint: 'Leave it away.' }],
    memory: { fits: 'yes', suggestion: { message: 'Take less.' } },
  });
  expect(document.checks[1]).toEqual({
    id: 'gpu.memory-free',
    group: 'gpu',
    status: 'fail',
    needed: true,
    message: '3.1 GiB are free, and the plan takes 19.1 GiB',
    hint: 'Stop what holds it: 显示进程 python (pid 4711), 16.2 GiB',
    evidence: ['memory.free: 3174 MiB', '\u001b[31mred\u001b[0m'],
    fix: { is: 'profile', set: { 'vllm.gpu-memory-utilization': 0.12 } },
  });
  expect(document.profiles[2]).toEqual({
    name: 'fp16',
    verdict: 'needs-change',
    why: 'it is too long',
    set: { 'vllm.max-model-len': 4096 },
  });
  expect(JSON.stringify(document)).not.toContain('null');
});
