/** Asking an engine over HTTP: start-up probe, readiness gate, health. Each is a loop that ends with its signal. */
import { waitFor } from '../core/clock.ts';
import type { GateCheck } from '../core/event.ts';
import { fetchText } from '../host/http.ts';
import { type HttpReply, NoReply } from '../host/no-reply.ts';
import type { HealthSettings } from '../profile/profile.ts';
import { checkGateReply, toGateRequests } from '../vllm/gate.ts';
import { toProbeHost } from './state.ts';

/** A refused connection on loopback costs microseconds, so the moment of readiness can be met closely. */
const startProbeMs = 100;
const startProbeTimeoutMs = 3000;
const gateRetryMs = 500;
/** A standstill of ours longer than this makes a probe void; and how closely it is measured. */
const voidDelayMs = 1000;
const delayStepMs = 100;
const gateChecks: readonly GateCheck[] = ['models', 'completion', 'chat'];

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  readonly servedNames: readonly string[];
  /** Asked before each request: after a supervisor's restart the value may arrive late. */
  readonly apiKey: () => Promise<string | undefined>;
  /** A key was set. Without its value a 401 is an answer, and no proof against the engine. */
  readonly needsKey: boolean;
  readonly health: HealthSettings;
}

export type GateOutcome =
  | { readonly is: 'passed'; readonly firstTokenMs: number }
  | { readonly is: 'timed-out'; readonly check: GateCheck; readonly detail: string }
  | { readonly is: 'cancelled' };

export interface GateReports {
  /** The first 200 on /health. */
  readonly onAnswering: () => void;
  readonly onWaiting: (check: GateCheck, detail: string) => void;
}

/**
 * Ready means: healthy, listing the served name, and a token really generated, by completion and by chat.
 * `/health` alone is 200 with a missing tokenizer, a missing chat template and a frozen engine.
 */
export async function waitUntilServing(target: ProbeTarget, reports: GateReports, signal: AbortSignal): Promise<GateOutcome> {
  while (!signal.aborted && !(await probeOnce(target, 'health', { timeoutMs: startProbeTimeoutMs, signal })).passed) {
    await waitFor(startProbeMs, signal);
  }
  if (signal.aborted) return { is: 'cancelled' };
  reports.onAnswering();
  const checks = target.health.chat ? gateChecks : gateChecks.filter((check) => check !== 'chat');
  return passGate(target, checks, { reports, signal });
}

async function passGate(
  target: ProbeTarget,
  checks: readonly GateCheck[],
  { reports, signal }: { readonly reports: GateReports; readonly signal: AbortSignal },
): Promise<GateOutcome> {
  const deadline = performance.now() + target.health.gateTimeoutMs;
  let firstTokenMs = 0;
  for (const check of checks) {
    for (;;) {
      const sentAt = performance.now();
      const outcome = await probeOnce(target, check, { timeoutMs: target.health.firstTokenTimeoutMs, signal });
      if (signal.aborted) return { is: 'cancelled' };
      if (outcome.passed) {
        if (check === 'completion') firstTokenMs = performance.now() - sentAt;
        break;
      }
      reports.onWaiting(check, outcome.detail);
      if (performance.now() > deadline) return { is: 'timed-out', check, detail: outcome.detail };
      await waitFor(gateRetryMs, signal);
    }
  }
  return { is: 'passed', firstTokenMs };
}

/** Probes `/health` of a ready engine at its interval, with a random phase so that many do not go in step. */
export async function watchHealth(target: ProbeTarget, report: (ok: boolean, reason?: string) => void, signal: AbortSignal): Promise<void> {
  const { intervalMs, timeoutMs } = target.health;
  await waitFor(intervalMs * Math.random(), signal);
  while (!signal.aborted) {
    const { outcome, stoodStill } = await watchOurselves(() => probeOnce(target, 'health', { timeoutMs, signal }));
    if (signal.aborted) return;
    if (outcome.passed) report(true);
    else if (!stoodStill) report(false, outcome.detail);
    await waitFor(intervalMs, signal);
  }
}

/** On a starved machine the time limit of a probe can pass while we are not running at all: that says nothing of the engine. */
export async function watchOurselves<T>(probe: () => Promise<T>): Promise<{ readonly outcome: T; readonly stoodStill: boolean }> {
  let last = performance.now();
  let longestMs = 0;
  const look = () => {
    const now = performance.now();
    longestMs = Math.max(longestMs, now - last);
    last = now;
  };
  const timer = setInterval(look, delayStepMs);
  try {
    const outcome = await probe();
    look();
    return { outcome, stoodStill: longestMs > delayStepMs + voidDelayMs };
  } finally {
    clearInterval(timer);
  }
}

type ProbeOutcome = { readonly passed: true } | { readonly passed: false; readonly detail: string };

/** One request of the gate. Never rejects for what the engine does. */
export async function probeOnce(
  target: ProbeTarget,
  check: GateCheck,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ProbeOutcome> {
  const key = await target.apiKey();
  const request = toGateRequests(target.servedNames[0] ?? '', key).find((one) => one.check === check);
  if (request === undefined) return { passed: true };
  let reply: HttpReply;
  try {
    reply = await fetchText(
      { host: toProbeHost(target.host), port: target.port },
      { method: request.method, path: request.path, headers: request.headers, body: request.body, timeoutMs, signal },
    );
  } catch (error) {
    if (!(error instanceof NoReply)) throw error;
    return { passed: false, detail: error.reason };
  }
  if (reply.status === 401 && target.needsKey && key === undefined) return { passed: true };
  return checkGateReply(check, { status: reply.status, text: reply.text, servedNames: target.servedNames });
}
