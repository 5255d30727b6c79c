/**
 * vLLM's start-up as its log tells it. Log lines are hints about progress and nothing more: readiness is decided
 * by requests (gate.ts). Wordings are of 0.32.0, older ones are kept beside them; patterns are never anchored at
 * the start of a line, because component tags come and go there.
 */
import type { StartFacts, StartPhase } from '../core/event.ts';
import { parseLogLine } from './log-line.ts';

export interface StartLog {
  readonly phase: StartPhase;
  readonly facts: StartFacts;
  /** The model is a path: nothing has to be downloaded. */
  readonly localModel: boolean;
}

export interface StartNews {
  readonly phase: StartPhase;
  /** Only what this line added. */
  readonly facts?: StartFacts;
}

export interface StartStep {
  readonly state: StartLog;
  readonly news?: StartNews;
}

export const emptyStartLog: StartLog = { phase: 'spawned', facts: {}, localModel: false };

/** Takes the next line. Phases only go forward; whatever comes after `listening` is not about the start. */
export function reduceStartLog(state: StartLog, raw: string): StartStep {
  if (state.phase === 'listening' || raw.trim() === '') return { state };
  const { text } = parseLogLine(raw);
  const model = /Initializing an? (?:V1 )?LLM engine .*?model='([^']*)'/.exec(text)?.[1];
  const known = model === undefined ? state : { ...state, localModel: isPath(model) };
  const told = toTold(text, known);
  const phase = toLater(known.phase, told.phase ?? 'importing');
  const facts = toNewFacts(known, told, phase);
  const next = { ...known, phase, facts: { ...toLasting(known, phase), ...facts } };
  const isNews = phase !== known.phase || Object.keys(facts).length > 0;
  return { state: next, ...(isNews ? { news: { phase, ...(Object.keys(facts).length > 0 ? { facts } : {}) } } : {}) };
}

interface Told {
  readonly phase?: StartPhase;
  readonly facts?: StartFacts;
}

interface Milestone {
  readonly pattern: RegExp;
  readonly phase: StartPhase;
  readonly facts?: (numbers: readonly number[]) => StartFacts;
}

const gib = 2 ** 30;

/** First match wins. Groups of a pattern are numbers, given to `facts` in their order. */
const milestones: readonly Milestone[] = [
  { pattern: /Initializing an? (?:V1 )?LLM engine/, phase: 'engine' },
  { pattern: /vLLM (?:API )?server version|non-default args:|Resolved architecture:/, phase: 'configuring' },
  { pattern: /Using max model len (\d+)/, phase: 'configuring', facts: ([maxModelLen]) => withNumber({ maxModelLen }) },
  { pattern: /Waiting for \d+ local.* core engine proc/, phase: 'engine' },
  {
    pattern: /(?:Fetching \d+ files|\.(?:safetensors|bin|pt|gguf)): +(\d+)%\|/,
    phase: 'downloading',
    facts: ([percent]) => withNumber({ percent }),
  },
  { pattern: /Time spent downloading weights/, phase: 'downloading' },
  {
    pattern: /Loading (?:safetensors|pt|\w+) checkpoint shards: +(\d+)% Completed/,
    phase: 'loading',
    facts: ([percent]) => withNumber({ percent }),
  },
  { pattern: /Loading weights took ([\d.]+) seconds/, phase: 'loading', facts: ([weightsSeconds]) => withNumber({ weightsSeconds }) },
  {
    pattern: /Model loading took ([\d.]+) GiB(?: memory)? and ([\d.]+) seconds/,
    phase: 'loading',
    facts: ([size, weightsSeconds]) => withNumber({ weightsBytes: toBytes(size), weightsSeconds }),
  },
  {
    pattern: /Loading model weights took ([\d.]+) Gi?B/,
    phase: 'loading',
    facts: ([size]) => withNumber({ weightsBytes: toBytes(size) }),
  },
  {
    pattern:
      /Using cache directory: .* for vLLM's torch\.compile|Dynamo bytecode transform time|Compiling a graph for|Directly load the (?:compiled|\d+-th) graph|torch\.compile takes|torch\.compile took|Warming up model for the compilation|saved AOT compiled function/,
    phase: 'compiling',
  },
  {
    pattern: /Estimated CUDA graph memory: ([\d.]+) GiB total/,
    phase: 'profiling',
    facts: ([size]) => withNumber({ graphBytes: toBytes(size) }),
  },
  { pattern: /Initial profiling\/warmup run took|Profiling CUDA graph memory|Memory profiling (?:takes|took)/, phase: 'profiling' },
  { pattern: /Available KV cache memory: (-?[\d.]+) GiB/, phase: 'kv-cache', facts: ([size]) => withNumber({ kvBytes: toBytes(size) }) },
  {
    pattern: /(?:Auto|Explicitly) set \(([\d.]+)\/[\d.]+\) GiB for KV cache/,
    phase: 'kv-cache',
    facts: ([size]) => withNumber({ kvBytes: toBytes(size) }),
  },
  {
    // One line since v0.28, two before; the second half alone is the next pattern.
    pattern: /KV cache size: ([\d,]+) tokens(?:, Maximum concurrency for ([\d,]+) tokens per request: ([\d.]+)x)?/,
    phase: 'kv-cache',
    facts: ([kvTokens, maxModelLen, maxConcurrency]) => withNumber({ kvTokens, maxModelLen, maxConcurrency }),
  },
  {
    pattern: /Maximum concurrency for ([\d,]+) tokens per request: ([\d.]+)x/,
    phase: 'kv-cache',
    facts: ([maxModelLen, maxConcurrency]) => withNumber({ maxModelLen, maxConcurrency }),
  },
  {
    pattern: /Auto-fit max_model_len: reduced from \d+ to (\d+)/,
    phase: 'kv-cache',
    facts: ([maxModelLen]) => withNumber({ maxModelLen }),
  },
  { pattern: /Capturing (?:CUDA|cuda) graph[^%]*?: +(\d+)%/, phase: 'capturing', facts: ([percent]) => withNumber({ percent }) },
  {
    pattern: /Graph capturing finished in [\d.]+ secs?, took (-?[\d.]+) GiB/,
    phase: 'capturing',
    facts: ([size]) => withNumber({ graphBytes: toBytes(size) }),
  },
  { pattern: /JIT kernel warmup finished|init engine \(profile, create kv cache, warmup model\) took|Supported tasks:/, phase: 'warming' },
  {
    pattern: /Starting vLLM (?:API )?server|Available routes are:|Started server process|Application startup complete|Uvicorn running on/,
    phase: 'listening',
  },
];

function toTold(text: string, state: StartLog): Told {
  // For a model of the hub the download comes after this line and tells of itself, so nothing is claimed yet.
  const load = /Starting to load model (.+?)\.\.\.|Loading model from scratch/.exec(text);
  if (load) return state.localModel || isPath(load[1] ?? '') ? { phase: 'loading' } : {};
  for (const { pattern, phase, facts } of milestones) {
    const found = pattern.exec(text);
    if (found) return { phase, ...(facts ? { facts: facts(found.slice(1).map(toNumber)) } : {}) };
  }
  return {};
}

/** As a start goes through them. */
export const startPhases: readonly StartPhase[] = [
  'spawned',
  'importing',
  'configuring',
  'engine',
  'downloading',
  'loading',
  'compiling',
  'profiling',
  'kv-cache',
  'capturing',
  'warming',
  'listening',
  'verifying',
];

function toLater(one: StartPhase, other: StartPhase): StartPhase {
  return startPhases.indexOf(other) > startPhases.indexOf(one) ? other : one;
}

/** What the line says that was not known. A percentage of a phase that is over says nothing. */
function toNewFacts(state: StartLog, told: Told, phase: StartPhase): StartFacts {
  const before = toLasting(state, phase);
  const fresh = Object.entries(told.facts ?? {}).filter(([name, value]) => {
    if (name === 'percent' && told.phase !== phase) return false;
    return before[name as keyof StartFacts] !== value;
  });
  return Object.fromEntries(fresh);
}

/** A percentage belongs to its phase, everything else stays true. */
function toLasting(state: StartLog, phase: StartPhase): StartFacts {
  if (phase === state.phase) return state.facts;
  const { percent: _, ...lasting } = state.facts;
  return lasting;
}

function withNumber(facts: { readonly [K in keyof StartFacts]: StartFacts[K] | undefined }): StartFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined && Number.isFinite(value)));
}

function toNumber(text: string | undefined): number {
  return text === undefined ? Number.NaN : Number(text.replaceAll(',', ''));
}

function toBytes(sizeGib: number | undefined): number | undefined {
  return sizeGib === undefined ? undefined : Math.round(sizeGib * gib);
}

function isPath(model: string): boolean {
  return model.startsWith('/') || model.startsWith('.');
}
