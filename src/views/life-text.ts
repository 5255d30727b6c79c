/** One sentence for each event of a deployment's life. */
import type { DeploymentEvent, ExitReport, GateCheck, LaunchedImage, LifeEvent, StartFacts, StartPhase, Survivor } from '../core/event.ts';
import { type Message, say } from '../core/message.ts';
import { toBecause } from '../core/pressure.ts';
import { toDurationText, toSizeText } from '../core/units.ts';
import { toText } from '../text/render.ts';
import { toFactsText } from './start-facts.ts';

type Of<T extends LifeEvent['type']> = Extract<LifeEvent, { readonly type: T }>;
type Sentences = { readonly [T in LifeEvent['type']]: (event: Of<T>) => Message };

export function toLifeText(event: LifeEvent | DeploymentEvent): string {
  const sentence = sentences[event.type] as ((event: LifeEvent) => Message) | undefined;
  const text = sentence === undefined ? event.type : toText(sentence(event));
  return 'simulated' in event && event.simulated ? toText(say('life.simulated', { text })) : text;
}

export function toPhaseText(phase: StartPhase, facts?: StartFacts): string {
  const message = phases[phase] as Message | undefined;
  const name = message === undefined ? phase : toText(message);
  const text = facts?.percent === undefined ? name : toText(say('life.percent', { text: name, percent: Math.round(facts.percent) }));
  const told = facts === undefined ? '' : toFactsText(facts);
  return told === '' ? text : toText(say('life.with-facts', { text, facts: told }));
}

export function toGateText(check: GateCheck, detail: string): string {
  return toText(gateSentence(check, detail));
}

/** `in 41 s: /health, Qwen3-0.6B listed, first token in 62 ms`; the other names that it goes by are left out. */
export function toReadyText({ elapsedMs, servedNames, firstTokenMs }: Of<'ready'>): string {
  const shared = { elapsed: toDurationText(elapsedMs), name: servedNames[0] ?? '' };
  if (firstTokenMs === undefined) return toText(say('life.ready-plain', shared));
  return toText(say('life.ready', { ...shared, firstToken: toDurationText(firstTokenMs) }));
}

/** The two tails that a sentence about an exit takes: how it ended, and the log's most telling line. */
export function toExitTails(exit: ExitReport): { readonly how: string; readonly line: string } {
  const how = [
    ...(exit.signal === undefined ? [] : [toText(say('life.how.signal', { signal: exit.signal }))]),
    ...(exit.code === undefined ? [] : [toText(say('life.how.code', { code: exit.code }))]),
    ...(exit.phase === undefined ? [] : [toText(say('life.how.phase', { phase: toPhaseText(exit.phase) }))]),
    ...(exit.reason === undefined ? [] : [toText(say('life.how.reason', { reason: exit.reason }))]),
  ];
  const line = exit.line === undefined ? '' : toText(say('life.how.line', { line: exit.line }));
  return { how: how.join(''), line: exit.cause === 'oom' ? line + toMoreText(exit) : line };
}

/** As the setting takes it: `2.0GiB`. */
function toMoreText({ neededBytes }: ExitReport): string {
  if (neededBytes === undefined) return toText(say('life.how.oom'));
  return toText(say('life.how.oom-least', { least: toSizeText(neededBytes).replace(' ', '') }));
}

const shortId = 12;

/** `0123456789ab in Docker, of vllm/vllm-openai:v0.32.0 (sha256:…)`. */
export function toContainerText(id: string, image?: LaunchedImage): string {
  const short = id.slice(0, shortId);
  if (image === undefined) return toText(say('life.container', { id: short }));
  return toText(say('life.container-of', { id: short, reference: image.reference, digest: image.digest ?? image.id }));
}

const sentences: Sentences = {
  'supervisor-started': ({ pid }) => say('life.supervisor-started', { pid }),
  'supervisor-ended': () => say('life.supervisor-ended'),
  requested: (event) => toRequested(event),
  preflight: () => say('life.preflight'),
  'preflight-failed': ({ code, reason }) => say('life.preflight-failed', { code, reason: toText(reason) }),
  launching: ({ backend }) => say('life.launching', { backend }),
  launched: ({ pid, containerId, image }) => {
    if (containerId !== undefined) return say('life.launched-container', { container: toContainerText(containerId, image) });
    return pid === undefined ? say('life.launched') : say('life.launched-process', { pid });
  },
  adopted: ({ pid, containerId, image }) => {
    if (containerId !== undefined) return say('life.adopted-container', { container: toContainerText(containerId, image) });
    return pid === undefined ? say('life.adopted') : say('life.adopted-process', { pid });
  },
  phase: ({ phase, elapsedMs, facts }) => say('life.phase', { phase: toPhaseText(phase, facts), elapsed: toDurationText(elapsedMs) }),
  ready: (event) => say('life.ready-event', { text: toReadyText(event) }),
  health: ({ ready, reason }) =>
    ready ? say('life.healthy') : reason === undefined ? say('life.unhealthy-plain') : say('life.unhealthy', { reason }),
  degraded: ({ reason }) => say('life.degraded', { reason: toSlow(reason) }),
  unhealthy: ({ cause, forMs }) => say('life.hangs', { why: toCause(cause), duration: toDurationText(forMs) }),
  download: (event) => toDownload(event),
  drained: ({ finished, aborted }) => (aborted === 0 ? say('life.drained', { finished }) : say('life.drained-cut', { finished, aborted })),
  unknown: ({ reason, owed }) =>
    owed === undefined ? say('life.unknown', { reason }) : say('life.removal-owed', { reason, container: owed.slice(0, shortId) }),
  frozen: ({ invariant, detail }) => say('life.frozen', { invariant, detail }),
  bundle: ({ path }) => say('life.bundle', { path }),
  'gate-waiting': ({ check, detail }) => gateSentence(check, detail),
  exited: ({ expected, exit }) => (expected ? say('life.exited-expected', { how: toExitTails(exit).how }) : toUnasked(exit)),
  survivors: ({ survivors }) => say('life.survivors', { survivors: toSurvivorsText(survivors) }),
  backoff: ({ attempt, delayMs }) => say('life.backoff', { attempt, delay: toDurationText(delayMs) }),
  crashloop: ({ attempt, delayMs }) => say('life.crashloop', { attempt, delay: toDurationText(delayMs) }),
  failed: ({ exit }) => say('life.failed', toExitTails(exit)),
  stopping: ({ reason, graceMs }) => say('life.stopping', { reason: toWhy(reason), grace: toDurationText(graceMs) }),
  killing: ({ reason }) => say('life.killing', { reason: toWhy(reason) }),
  stopped: () => say('life.stopped'),
  unkillable: ({ survivors }) => say('life.unkillable', { survivors: toSurvivorsText(survivors) }),
  adapted: ({ from, to, direction, because }) =>
    say(direction === 'back' ? 'life.adapted-back' : 'life.adapted', { from, to, because: toBecause(because, direction) }),
  'rolling-back': ({ reason }) => say('life.rolling-back', { reason: toCause(reason) }),
  'fell-back': (event) => toFellBack(event),
  note: ({ note }) => note,
};

function toFellBack({ step, changes, because }: Of<'fell-back'>): Message {
  const toWord = (value: unknown) => (value === undefined || value === null ? '–' : String(value));
  const told = changes.map(({ path, from, to }) => say('life.fell-back.change', { path, from: toWord(from), to: toWord(to) }));
  const [first = '', ...rest] = told.map((one) => toText(one));
  const all = rest.reduce((before, next) => toText(say('life.fell-back.more', { first: before, rest: next })), first);
  return say('life.fell-back', { step, changes: all, because });
}

function toDownload({ doneBytes, totalBytes, bytesPerSecond }: Of<'download'>): Message {
  const done = toSizeText(doneBytes);
  const of = totalBytes === undefined ? '' : toText(say('life.download.of', { total: toSizeText(totalBytes) }));
  const rate = bytesPerSecond === undefined ? '' : toText(say('life.download.rate', { rate: toSizeText(bytesPerSecond) }));
  const leftMs = totalBytes === undefined || !bytesPerSecond ? 0 : ((totalBytes - doneBytes) * 1000) / bytesPerSecond;
  // Less than a second is no time to wait.
  const left = leftMs < 1000 ? '' : toText(say('life.download.left', { time: toDurationText(leftMs) }));
  return say('life.download', { done, of, rate, left });
}

function toUnasked(exit: ExitReport): Message {
  const { how, line } = toExitTails(exit);
  if (exit.cause === 'launch') return say('life.exited-launch', { how, line });
  if (exit.cause === 'removed-by-hand') return say('life.exited-removed', { how });
  if (exit.cause === 'stopped-by-hand') return say('life.exited-stopped', { how });
  return exit.cause === 'restarted-by-hand' ? say('life.exited-restarted', { how }) : say('life.exited', { how, line });
}

const phases: Readonly<Record<StartPhase, Message>> = {
  spawned: say('life.phase.spawned'),
  importing: say('life.phase.importing'),
  configuring: say('life.phase.configuring'),
  engine: say('life.phase.engine'),
  downloading: say('life.phase.downloading'),
  loading: say('life.phase.loading'),
  compiling: say('life.phase.compiling'),
  profiling: say('life.phase.profiling'),
  'kv-cache': say('life.phase.kv-cache'),
  capturing: say('life.phase.capturing'),
  warming: say('life.phase.warming'),
  listening: say('life.phase.listening'),
  verifying: say('life.phase.verifying'),
};

function toRequested({ desired, by }: Of<'requested'>): Message {
  const asker = { by: by === 'rollback' ? say('life.by-rollback') : say('life.by-command', { command: by }) };
  return desired === 'up' ? say('life.requested-up', asker) : say('life.requested-down', asker);
}

const causes: Readonly<Record<string, Message>> = {
  exit: say('life.cause.exit'),
  gate: say('life.cause.gate'),
  'start-timeout': say('life.cause.start-timeout'),
  preflight: say('life.cause.preflight'),
  launch: say('life.cause.launch'),
  gpu: say('life.cause.gpu'),
  'gpu-lost-in-container': say('life.cause.gpu-lost-in-container'),
  'vram-held': say('life.cause.vram-held'),
  stall: say('life.cause.stall'),
  canary: say('life.cause.canary'),
  api: say('life.cause.api'),
  oom: say('life.cause.oom'),
  'removed-by-hand': say('life.cause.removed-by-hand'),
  'stopped-by-hand': say('life.cause.stopped-by-hand'),
  'restarted-by-hand': say('life.cause.restarted-by-hand'),
  'start-stall': say('life.cause.start-stall'),
  'download-stall': say('life.cause.download-stall'),
};

/** Why a launch ended, in words; anything else is a line of its log. */
export function toCause(cause: string): Message | string {
  return causes[cause] ?? cause;
}

/** Why it counts as slow; anything else is what a probe said. */
const slows: Readonly<Record<string, Message>> = {
  stall: say('life.slow.stall'),
  canary: say('life.slow.canary'),
  paused: say('life.slow.paused'),
  asleep: say('life.slow.asleep'),
  suspended: say('life.slow.suspended'),
  throttle: say('life.slow.throttle'),
  'throttle-heat': say('life.slow.throttle-heat'),
  'throttle-power': say('life.slow.throttle-power'),
  thrashing: say('life.slow.thrashing'),
  'gpu-lost': say('life.slow.gpu-lost'),
};

function toSlow(reason: string): Message | string {
  return slows[reason] ?? reason;
}

/** Reasons that the supervisor gives; one that is not known here speaks for itself. */
const reasons: Readonly<Record<string, Message>> = {
  down: say('life.why.down'),
  replace: say('life.why.replace'),
  gate: say('life.why.gate'),
  'start-timeout': say('life.why.start-timeout'),
  deadline: say('life.why.deadline'),
  force: say('life.why.force'),
  again: say('life.why.again'),
  'interrupted-stop': say('life.why.interrupted-stop'),
};

function toWhy(reason: string): Message | string {
  return reasons[reason] ?? reason;
}

function gateSentence(check: GateCheck, detail: string): Message {
  if (check === 'health') return say('life.gate.health', { detail });
  if (check === 'models') return say('life.gate.models', { detail });
  if (check === 'completion') return say('life.gate.completion', { detail });
  return say('life.gate.chat', { detail });
}

function toSurvivorsText(survivors: readonly Survivor[]): string {
  return survivors
    .map(({ pid, command, state }) =>
      toText(state === undefined ? say('life.survivor', { pid, command }) : say('life.survivor-state', { pid, command, state })),
    )
    .join(', ');
}
