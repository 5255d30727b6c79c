/** GPUs that fail, as their driver's program and the kernel's log tell it; engines on them are the stand-in's. */
import { uptime } from 'node:os';
import { describe, expect, it } from 'vitest';
import { say } from '../../src/core/message.ts';
import { checkGpus } from '../../src/supervisor/gpu/check.ts';
import { killQuietly, toUpArgs } from '../scenarios/sandbox.ts';
import { deployment, holding, l4, openGpuMachine } from './gpu-machine.ts';
import { findEvent } from './kit.ts';

const machine = openGpuMachine();
const timeout = 60_000;
const xid = (code: number, text: string) => `[ 1234.${code}] NVRM: Xid (PCI:0000:01:00): ${code}, ${text}`;

describe('a fault of the GPU', { timeout }, () => {
  it('I1 Xid 79: failed for good, with what is to be done, and not started again', async () => {
    await machine.show([l4]);
    const first = await machine.up();
    await machine.log(xid(79, "pid='<unknown>', name=<unknown>, GPU has fallen off the bus."));
    killQuietly(first.pid ?? 0);
    const after = await machine.until(({ state }) => state === 'failed');
    expect(after).toMatchObject({
      restarts: { total: 0 },
      lastExit: { cause: 'gpu', reason: 'xid-79', line: expect.stringContaining('fallen off') },
    });
    expect(await machine.notes()).toContain('GPU 0 is lost until the machine is restarted: sudo reboot');
  });

  it('I1 Xid 48: failed for good, with the command of a reset', async () => {
    await machine.show([l4]);
    const first = await machine.up();
    await machine.log(xid(48, 'DBE (double bit error)'));
    killQuietly(first.pid ?? 0);
    expect(await machine.until(({ state }) => state === 'failed')).toMatchObject({ lastExit: { cause: 'gpu', reason: 'xid-48' } });
    expect(await machine.notes()).toContain('GPU 0 needs a reset, with nothing running on it: sudo nvidia-smi --gpu-reset -i 0');
    expect((await machine.calls()).filter(({ args }) => args.includes('reset'))).toEqual([]);
  });

  it('I2 Xid 31: started again, with the fault as the cause; those of before and of other GPUs do not count', async () => {
    await machine.show([l4]);
    await machine.log(xid(79, 'of an earlier day'));
    const first = await machine.up();
    await machine.log('[ 1300.0] NVRM: Xid (PCI:0000:99:00): 79, GPU has fallen off the bus.');
    await machine.log(xid(31, 'pid=1, name=VLLM::EngineCor, MMU Fault'));
    killQuietly(first.pid ?? 0);
    const after = await machine.until(({ state, launchId }) => state === 'ready' && launchId !== first.launchId);
    expect(after).toMatchObject({ restarts: { total: 1 }, lastExit: { cause: 'gpu', reason: 'xid-31' } });
  });

  it('I8 recovery action Reset: not started, the command is printed and never run', async () => {
    await machine.show([{ ...l4, recoveryAction: 'Reset' }]);
    const refused = await machine.tryUp();
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).toContain('sudo nvidia-smi --gpu-reset -i 0');
    expect((await machine.status()).state).toBe('failed');
    expect((await machine.calls()).filter(({ args }) => args.includes('reset'))).toEqual([]);
  });
});

describe('nvidia-smi that does not answer', { timeout }, () => {
  it('I4 garbage: not looked at, said once, and served all the same', async () => {
    await machine.show([l4]);
    const first = await machine.up();
    await machine.show([], 'garbage');
    killQuietly(first.pid ?? 0);
    await machine.until(({ state, launchId }) => state === 'ready' && launchId !== first.launchId);
    expect((await machine.box.cli('down', deployment)).code).toBe(0);
    expect((await machine.notes()).filter((note) => note.startsWith('the GPU is not looked at'))).toHaveLength(1);
  });
});

describe('other GPUs than planned', { timeout }, () => {
  it('I5 none at all, just after the boot: waited for', () => {
    const wants = { gpus: [l4.uuid], before: new Map(), upForMs: 9 * 60_000, profile: deployment };
    const check = checkGpus({ is: 'none', evidence: say('gpu.no-smi') }, wants);
    expect(check).toMatchObject({ is: 'failed', code: 'host/gpu-gone', permanent: false, waits: true });
  });

  it('I5 none at all, long after the boot: failed, with the reason', async () => {
    await machine.show([l4]);
    const first = await machine.up();
    await machine.show([], 'empty');
    killQuietly(first.pid ?? 0);
    const after = await machine.until(({ lastExit }) => lastExit?.cause === 'preflight');
    expect(after.lastExit).toMatchObject({ cause: 'preflight', reason: 'host/gpu-gone' });
    // For good ten minutes after the boot of this machine.
    const permanent = uptime() >= 600;
    expect(findEvent(await machine.events(), 'preflight-failed')).toMatchObject({ permanent });
    if (permanent) await machine.until(({ state }) => state === 'failed');
  });

  it('I9 the UUID has gone: failed, not started on another one', async () => {
    const other = { ...l4, uuid: 'GPU-99999999-2222-3333-4444-555555555555' };
    await machine.show([l4]);
    const first = await machine.up();
    await machine.show([other]);
    killQuietly(first.pid ?? 0);
    const after = await machine.until(({ state }) => state === 'failed');
    expect(after.lastExit).toMatchObject({ cause: 'preflight', reason: 'host/gpu-gone' });
    expect(findEvent(await machine.events(), 'preflight-failed')?.reason.params).toMatchObject({ have: `0 ${other.uuid}` });
  });

  it('I7 a stranger takes the memory while it waits: named, waited for, then started', async () => {
    await machine.show([l4]);
    const first = await machine.up();
    await machine.show([holding(process.pid, 'python train.py')]);
    killQuietly(first.pid ?? 0);
    const waiting = await machine.until(({ lastExit }) => lastExit?.reason === 'host/gpu-taken');
    expect(waiting.state).toBe('backoff');
    expect(findEvent(await machine.events(), 'preflight-failed')).toMatchObject({ permanent: false });
    await machine.show([l4]);
    await machine.until(({ state, launchId }) => state === 'ready' && launchId !== first.launchId, 30_000);
  });
});

describe('memory after a stop', { timeout: 90_000 }, () => {
  it('D9 held by a stranger: said, left alone, and stopped', async () => {
    await machine.show([l4]);
    await machine.up();
    await machine.show([holding(process.pid, 'python train.py')]);
    const began = Date.now();
    expect((await machine.box.cli('down', deployment)).code).toBe(0);
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(await machine.notes()).toContain(
      `process ${process.pid} (python train.py) holds 11.7 GiB of GPU 0; it is not of this deployment and is left alone`,
    );
  });

  it('D8 given back late: waited for, and stopped', async () => {
    await machine.show([l4]);
    const first = await machine.up();
    await machine.show([holding(first.pid ?? 0, 'VLLM::EngineCore')]);
    const stopping = machine.box.start('down', deployment);
    await machine.until(({ state }) => state === 'reclaiming');
    await machine.show([l4]);
    expect((await stopping.result).code).toBe(0);
    expect((await machine.notes()).filter((note) => note.includes('did not come back'))).toEqual([]);
  });
});

it('a deployment without GPUs asks for none', { timeout }, async () => {
  await machine.show([holding(process.pid, 'python train.py')], 'hangs');
  expect((await machine.box.cli(...toUpArgs(machine.port))).code).toBe(0);
  expect((await machine.box.cli('down', 'tiny')).code).toBe(0);
  expect((await machine.calls()).filter(({ args }) => args === '-q -x')).toEqual([]);
});
