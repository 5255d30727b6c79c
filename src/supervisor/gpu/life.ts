/**
 * The GPUs of one deployment through the life of its launches: looked at before a start, asked for their memory after
 * an end, and their faults read from the kernel's log. Loaded only where a deployment has GPUs. Nothing here ends or
 * resets anything, and what cannot be told is held against nobody.
 */
import { uptime } from 'node:os';
import { type Clock, waitFor } from '../../core/clock.ts';
import type { ExitReport } from '../../core/event.ts';
import { type Message, say } from '../../core/message.ts';
import { toSizeText } from '../../core/units.ts';
import type { LaunchRecord } from '../../runtime/runtime.ts';
import type { Deployable } from '../state.ts';
import { GpuAsker, type GpuAskerParts } from './asker.ts';
import { checkGpus, type GpuCheck, toOwnerText, toResetCommand, toShare } from './check.ts';
import { type GpuEnd, hasOthers } from './end.ts';
import { observeFault, observeLastXid, toFaultNote } from './faults.ts';
import { type MemoryProof, proveMemoryReturned, toOwnersText } from './memory.ts';
import { chooseThrottle } from './throttle.ts';

export interface GpuLifeParts extends Omit<GpuAskerParts, 'env'> {
  readonly clock: Clock;
  readonly env?: NodeJS.ProcessEnv;
  readonly upForMs?: () => number;
}

/** What a look before a start gives; the record of the launch keeps it. */
export type GpuStart =
  | { readonly is: 'passed'; readonly record: Pick<LaunchRecord, 'gpuBaselines' | 'lastXid'> }
  | Extract<GpuCheck, { is: 'failed' }>;

/** The reason of an end. */
export type LostGpus = Pick<ExitReport, 'cause' | 'reason' | 'line'>;

const throttleEveryMs = 15_000;
const lostEveryMs = 60_000;

/** A launch, and how it is asked whether it has lost its GPUs. */
export interface LostLook {
  readonly launchId: string;
  readonly look: () => Promise<string | undefined>;
}

export class GpuLife {
  private readonly parts: GpuLifeParts;
  private readonly env: NodeJS.ProcessEnv;
  private readonly asker: GpuAsker;
  /** Index → UUID, as of the last launch. */
  private readonly before = new Map<number, string>();
  private toldUnread = false;
  /** The last launch that had lost its GPUs: when it has ended, nobody can look inside any more. */
  private lost: { readonly launchId: string; readonly why: LostGpus } | undefined;

  constructor(parts: GpuLifeParts) {
    this.parts = parts;
    this.env = parts.env ?? process.env;
    this.asker = new GpuAsker({ ...parts, env: this.env });
  }

  /** Before each start: whether its GPUs are there and well, and what they hold. */
  async observeGpuBaseline({ gpus = [], profile, spec }: Deployable): Promise<GpuStart> {
    const [details, lastXid] = await Promise.all([this.asker.ask(), observeLastXid(this.env)]);
    const share = toShare(spec.args);
    const upForMs = this.parts.upForMs?.() ?? uptime() * 1000;
    const wants = { gpus, before: this.before, upForMs, profile, ...(share === undefined ? {} : { share }) };
    const check = checkGpus(details, wants);
    if (check.is === 'failed') return check;
    this.learn(check.gpuBaselines);
    if (lastXid === undefined) this.tellUnread();
    return { is: 'passed', record: { gpuBaselines: check.gpuBaselines, ...(lastXid === undefined ? {} : { lastXid }) } };
  }

  /** When a launch has ended. `ours`: pids that it still has; undefined: who else was there does not matter. */
  async observeEnd(record: LaunchRecord, ours: readonly number[] | undefined): Promise<GpuEnd> {
    const fault = await observeFault(record, this.env);
    if (fault) {
      const note = toFaultNote(fault, record);
      if (note) this.parts.note(note);
      return { fault };
    }
    if (this.lost?.launchId === record.launchId) return { lost: this.lost.why };
    const { gpuBaselines = [], process, keeper } = record;
    if (ours === undefined || gpuBaselines.length === 0) return {};
    const details = await this.asker.ask();
    if (details.is !== 'read') return details.is !== 'none' && details.lost ? { gone: true } : {};
    const own = [process?.pid, keeper?.pid, ...ours].filter((pid) => pid !== undefined);
    const others = hasOthers(gpuBaselines, details.gpus, own);
    return { ...(details.lost ? { gone: true } : {}), ...(others === undefined ? {} : { others }) };
  }

  /**
   * After the end of a launch, when no process of it is left. Undefined: its memory came back, or nobody can say
   * otherwise. `others`: pids that it had and that are gone by now.
   */
  async proveMemoryReturned(record: LaunchRecord, others: readonly number[], signal?: AbortSignal): Promise<ExitReport | undefined> {
    const { gpuBaselines: baselines = [], process, keeper } = record;
    this.learn(baselines);
    if (baselines.length === 0) return undefined;
    const ours = new Set([process?.pid, keeper?.pid, ...others].filter((pid) => pid !== undefined));
    const { clock } = this.parts;
    const question = { baselines, ask: () => this.asker.ask(), ours, clock, ...(signal ? { signal } : {}) };
    const proofs = await proveMemoryReturned(question);
    for (const note of proofs.flatMap(toNotes)) this.parts.note(note);
    const [held] = proofs.filter(isHeld);
    if (held === undefined) return undefined;
    const owners = toOwnersText(held.owners);
    const line = `GPU ${held.gpu.index}: ${toSizeText(held.bytes)}${owners === '' ? '' : `, ${owners}`}`;
    return { cause: 'vram-held', reason: 'vram-held', at: new Date(clock.wall()).toISOString(), line };
  }

  /** What says that a running launch cannot reach its GPUs, while this machine can. Said once, and kept for its end. */
  async observeLost({ launchId, look }: LostLook): Promise<LostGpus | undefined> {
    if (this.lost?.launchId === launchId) return this.lost.why;
    const line = await look();
    if (line === undefined) return undefined;
    const details = await this.asker.ask();
    // Not the container's fault: a start would meet the same.
    if (details.is !== 'read' || details.lost) return undefined;
    const why = { cause: 'gpu-lost-in-container', reason: 'gpu-lost-in-container', line } as const;
    this.lost = { launchId, why };
    this.parts.note(say('life.gpu-lost-inside', { line }));
    return why;
  }

  /** Looks now and then, until it is lost or told to stop. */
  async watchLost(toLook: () => Promise<LostLook | undefined>, report: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await waitFor(lostEveryMs, signal, this.parts.clock);
      if (signal.aborted) return;
      const look = await toLook();
      // An engine of containers that does not answer now is asked again.
      if (look && (await this.observeLost(look).catch(() => undefined)) !== undefined) return report();
    }
  }

  /** Says when a GPU lowers its clocks, and when that is over. Nothing else comes of it. */
  async watchThrottle(gpus: readonly string[], report: (reason: string | undefined) => void, signal: AbortSignal): Promise<void> {
    let told: string | undefined;
    while (!signal.aborted) {
      await waitFor(throttleEveryMs, signal, this.parts.clock);
      if (signal.aborted) return;
      const details = await this.asker.ask();
      if (details.is !== 'read') continue;
      const reason = chooseThrottle(details.gpus, gpus);
      if (reason !== told) report(reason);
      told = reason;
    }
  }

  private learn(baselines: LaunchRecord['gpuBaselines'] = []): void {
    for (const { index, uuid } of baselines) if (uuid !== undefined) this.before.set(index, uuid);
  }

  private tellUnread(): void {
    if (!this.toldUnread) this.parts.note(say('life.gpu-xid-unread'));
    this.toldUnread = true;
  }
}

function isHeld(proof: MemoryProof): proof is Extract<MemoryProof, { is: 'held' }> {
  return proof.is === 'held';
}

function toNotes(proof: MemoryProof): readonly Message[] {
  const gpu = proof.gpu.index;
  if (proof.is === 'returned') {
    return proof.others.map((owner) => say('life.gpu-foreign', { gpu, owner: toOwnerText(owner), size: toHeld(owner.usedBytes) }));
  }
  if (proof.is === 'unseen') return [say('life.gpu-unseen-owner', { gpu, size: toSizeText(proof.bytes) })];
  if (proof.is !== 'held') return [];
  const [first] = proof.owners;
  const owner = first === undefined ? say('life.gpu-no-owner') : toOwnerText(first);
  return [say('life.gpu-held', { gpu, size: toSizeText(proof.bytes), owner, command: toResetCommand(gpu) })];
}

function toHeld(bytes: number | undefined): string {
  return bytes === undefined ? '?' : toSizeText(bytes);
}
