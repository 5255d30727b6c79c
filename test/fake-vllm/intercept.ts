/** Bad habits that show over HTTP, and the address under which switches are set while it runs. */
import { waitFor } from '../../src/core/clock.ts';
import { toBadRequest, toFailureBody } from '../../src/runtime/simulator/failure.ts';
import type { Call } from '../../src/runtime/simulator/server.ts';
import type { FaultBox } from './fault-box.ts';

export interface InterceptPlace {
  readonly box: FaultBox;
  /** Does what a request to /__fault asks to be done now: `kill`, `exitNow`, `resetCounters`, `eat`. */
  readonly act: (raw: Readonly<Record<string, unknown>>) => void;
  /** Ends the EngineCore as a bug in it would. */
  readonly crash: () => void;
  readonly renderMetrics: () => string;
}

export function createIntercept(place: InterceptPlace): (call: Call) => Promise<boolean> {
  let inferences = 0;
  let frozenPage: string | undefined;
  return async (call) => {
    const { faults } = place.box;
    if (call.path === '/__fault') return answerFault(place, call);
    if (call.path === '/health') return answerHealth(place, call);
    if (call.path === '/is_paused') return answerPaused(place, call);
    if (call.path === '/metrics') {
      frozenPage = faults.frozenMetrics ? (frozenPage ?? place.renderMetrics()) : undefined;
      return answerMetrics(place, call, frozenPage);
    }
    if (call.method !== 'POST' || !call.path.startsWith('/v1/')) return false;
    // It counts as open (`/load`) for as long as its client waits.
    if (faults.stuckOn !== undefined && call.body.includes(faults.stuckOn)) return untilClosed(call);
    if (faults.crashOn !== undefined && call.body.includes(faults.crashOn)) place.crash();
    if (faults.chatStatus !== undefined && call.path === '/v1/chat/completions') return refuse(call, faults.chatStatus, noTemplate);
    inferences += 1;
    if (faults.inference === undefined || inferences > faults.inference.times) return false;
    return refuse(call, faults.inference.status, 'CUDA error: an illegal memory access was encountered');
  };
}

function untilClosed({ response }: Call): Promise<boolean> {
  return new Promise((resolve) => response.once('close', () => resolve(true)));
}

/** What vLLM says when the tokenizer has no chat template. */
const noTemplate =
  'As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if the tokenizer does not define one.';

function refuse(call: Call, status: number, message: string): true {
  const type = status === 400 ? 'BadRequestError' : 'InternalServerError';
  call.send(status, toFailureBody({ ...toBadRequest(message), status, type }));
  return true;
}

function answerFault({ box, act }: InterceptPlace, call: Call): true {
  try {
    const patch = box.change(call.body === '' ? {} : JSON.parse(call.body));
    call.send(200, patch);
    act(patch);
  } catch (error) {
    call.send(400, { error: String(error) });
  }
  return true;
}

async function answerHealth({ box }: InterceptPlace, call: Call): Promise<boolean> {
  const { healthDelayMs, healthStatus } = box.faults;
  if (healthDelayMs > 0) await waitFor(healthDelayMs);
  if (healthStatus === undefined) return false;
  call.send(healthStatus);
  return true;
}

function answerPaused({ box }: InterceptPlace, call: Call): boolean {
  const { suspended } = box.faults;
  if (suspended === undefined) return false;
  call.send(200, { is_paused: suspended === 'yes' });
  return true;
}

function answerMetrics({ box, renderMetrics }: InterceptPlace, call: Call, frozenPage: string | undefined): boolean {
  const page =
    toBadPage(box.faults.metrics, renderMetrics) ??
    frozenPage ??
    toZeroPage(box.faults.zeroGauges, renderMetrics) ??
    toSleepPage(box.faults.asleep, renderMetrics);
  if (page === undefined) return false;
  call.response.writeHead(box.faults.metrics === 'error' ? 500 : 200, { 'content-type': 'text/plain; version=1.0.0; charset=utf-8' });
  if (box.faults.metrics === 'drip') drip(call, page);
  else call.response.end(page);
  return true;
}

function toBadPage(kind: string | undefined, render: () => string): string | undefined {
  if (kind === 'garbage') return '<html>\u0000 not { metrics 12..5 }}\n# TYPE\nvllm: NaN NaN\n';
  if (kind === 'empty') return '';
  if (kind === 'error') return 'Internal Server Error';
  if (kind === 'nan') return render().replaceAll(/^(vllm:\S+) \S+$/gm, '$1 NaN');
  if (kind === 'huge') return render() + 'vllm:filler{n="0123456789"} 1.0\n'.repeat(1_600_000);
  return kind === 'drip' ? render() : undefined;
}

function toZeroPage(zero: boolean, render: () => string): string | undefined {
  return zero ? render().replaceAll(/^(vllm:(?:num_requests|kv_cache_usage)\S+) \S+$/gm, '$1 0.0') : undefined;
}

function toSleepPage(asleep: boolean, render: () => string): string | undefined {
  if (!asleep) return undefined;
  return render()
    .replaceAll(/^(vllm:engine_sleep_state\{.*"awake".*\}) \S+$/gm, '$1 0.0')
    .replaceAll(/^(vllm:engine_sleep_state\{.*"weights_offloaded".*\}) \S+$/gm, '$1 1.0');
}

/** One byte every 50 ms, for as long as somebody listens. */
function drip(call: Call, page: string): void {
  let at = 0;
  const timer = setInterval(() => {
    call.response.write(page[at] ?? '\n');
    at += 1;
  }, 50);
  call.response.once('close', () => clearInterval(timer));
}
