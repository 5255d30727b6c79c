/**
 * Events retold as steps (`plan`, `engine`, `start`, `ready`, `stop`), each alive until it is done or has failed.
 * Pure, so that the spinner and the plain lines tell the same story. A `live` line is what goes on now, until the
 * next one; a `passed` line has happened within the step and matters beyond it.
 */
import type { DeployEvent, DeploymentEvent, StartFacts, StartPhase } from '../core/event.ts';
import { type Message, say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import { toText } from '../text/render.ts';
import { toGateText, toLifeText, toPhaseText, toReadyText } from './life-text.ts';
import { toTook } from './start-facts.ts';

export type StoryLine =
  | { readonly is: 'live' | 'passed' | 'done' | 'failed'; readonly step: string; readonly text: string }
  | { readonly is: 'said'; readonly level: 'info' | 'warning'; readonly text: string };

export interface Story {
  /** Phases of the present launch in the order they began. */
  readonly phases: readonly { readonly phase: StartPhase; readonly elapsedMs: number }[];
  readonly facts: StartFacts;
  /** Whether the `start` step of the present launch has been closed. */
  readonly started: boolean;
  /** Whether the last launch has ended as asked and what comes after it is not known yet. */
  readonly ended: boolean;
}

export const newStory: Story = { phases: [], facts: {}, started: false, ended: false };

type Told = readonly [Story, readonly StoryLine[]];

export function toStory(story: Story, event: DeployEvent): Told {
  switch (event.type) {
    case 'step-started':
      return [story, [{ is: 'live', step: event.step, text: toText(event.text) }]];
    case 'step-progress':
      return [story, [{ is: 'live', step: event.step, text: toProgressText(event) }]];
    case 'step-done':
      return [story, [{ is: 'done', step: event.step, text: toText(event.text) }]];
    case 'step-failed':
      return [story, [{ is: 'failed', step: event.step, text: toText(event.text) }]];
    case 'said':
      return [story, [{ is: 'said', level: event.level, text: toText(event.text) }]];
    default:
      return toLifeStory(story, event);
  }
}

function toProgressText(event: { readonly text: Message; readonly doneBytes?: number; readonly totalBytes?: number }): string {
  const sizes = [event.doneBytes, event.totalBytes].filter((bytes) => bytes !== undefined).map(toSizeText);
  return [toText(event.text), ...(sizes.length > 0 ? [sizes.join(' / ')] : [])].join(' · ');
}

function toLifeStory(story: Story, event: DeploymentEvent): Told {
  const text = toLifeText(event);
  switch (event.type) {
    case 'preflight':
      return [newStory, [...closeStop(story, event), { is: 'live', step: 'start', text }]];
    case 'launching':
      return [newStory, [{ is: 'live', step: 'start', text }]];
    case 'launched':
      return [story, [{ is: 'passed', step: 'start', text }, ...toImporting(event)]];
    case 'phase':
      return toPhaseStory(story, event);
    case 'gate-waiting':
      return [story, [{ is: 'live', step: 'ready', text: toGateText(event.check, event.detail) }]];
    case 'ready':
      return [
        { ...story, started: true },
        [...closeStart(story, event), { is: 'done', step: 'ready', text: mark(event, toReadyText(event)) }],
      ];
    case 'adopted':
      return [{ ...story, started: true }, [{ is: 'done', step: 'start', text }]];
    case 'preflight-failed':
      return [story, [{ is: 'failed', step: 'start', text }]];
    case 'unhealthy':
    case 'exited':
      if (event.type === 'exited' && event.expected) return [{ ...newStory, ended: true }, [{ is: 'live', step: 'stop', text }]];
      return [newStory, [{ is: 'failed', step: story.started ? 'ready' : 'start', text }]];
    case 'stopping':
    case 'killing':
    case 'survivors':
      return [story, [{ is: 'live', step: 'stop', text }]];
    case 'stopped':
      return [newStory, [{ is: 'done', step: 'stop', text: mark(event, toText(say('life.stopped-name', { name: event.deployment }))) }]];
    case 'unkillable':
      return [story, [{ is: 'failed', step: 'stop', text }]];
    case 'backoff':
    case 'crashloop':
    case 'rolling-back':
      return [newStory, [{ is: 'said', level: 'warning', text }]];
    case 'health':
      return [story, [{ is: 'said', level: event.ready ? 'info' : 'warning', text }]];
    case 'note':
    case 'bundle':
    case 'drained':
      return [story, [{ is: 'said', level: 'info', text }]];
    case 'unknown':
    case 'frozen':
      return [story, [{ is: 'said', level: 'warning', text }]];
    case 'download':
      return [story, [{ is: 'live', step: 'start', text }]];
    default:
      // supervisor-started, supervisor-ended, requested, failed: the result or the error says these
      return [story, []];
  }
}

function toPhaseStory(story: Story, event: Extract<DeploymentEvent, { type: 'phase' }>): Told {
  const { phase, elapsedMs, facts } = event;
  // Our own probe may be ahead of the log that tells the phases: it says nothing about them.
  if (phase === 'verifying') return [story, [{ is: 'live', step: 'ready', text: mark(event, toPhaseText(phase)) }]];
  const known = story.started || story.phases.some((entry) => entry.phase === phase);
  const next: Story = {
    ...story,
    phases: known ? story.phases : [...story.phases, { phase, elapsedMs }],
    facts: { ...story.facts, ...facts },
  };
  if (story.started) return [next, []];
  if (phase === 'spawned' || phase === 'importing') return [next, toImporting(event)];
  if (phase !== 'listening') return [next, [{ is: 'live', step: 'start', text: mark(event, toPhaseText(phase, facts)) }]];
  const asking: StoryLine = { is: 'live', step: 'ready', text: mark(event, toPhaseText('verifying')) };
  return [{ ...next, started: true }, [...closeStart(next, event), asking]];
}

/** vLLM says nothing while Python imports it, which takes most of a start: said from the launch on, in the same words. */
function toImporting(event: DeploymentEvent): readonly StoryLine[] {
  return event.simulated ? [] : [{ is: 'live', step: 'start', text: toPhaseText('spawned') }];
}

/** What is replaced ends too, without being reported as down. */
function closeStop({ ended }: Story, event: DeploymentEvent): readonly StoryLine[] {
  return ended ? [{ is: 'done', step: 'stop', text: mark(event, toText(say('life.replaced'))) }] : [];
}

function closeStart(story: Story, event: DeploymentEvent): readonly StoryLine[] {
  if (story.started || story.phases.length === 0) return [];
  return [{ is: 'done', step: 'start', text: mark(event, toStartText(story, event.simulated ?? false)) }];
}

/** `imported 14 s · weights 0.3 s · KV cache 262,144 tokens · listening`; what was not seen is left out. */
function toStartText({ phases, facts }: Story, simulated: boolean): string {
  const took = (phase: StartPhase): string | undefined => {
    const at = phases.findIndex((entry) => entry.phase === phase);
    const from = phases[at];
    const to = phases[at + 1];
    const ms = from === undefined || to === undefined ? 0 : to.elapsedMs - from.elapsedMs;
    return toTook(ms);
  };
  const weights = facts.weightsSeconds === undefined ? took('loading') : toTook(facts.weightsSeconds * 1000);
  const parts = [
    withTime(simulated ? undefined : toImported(phases), (time) => say('life.took.imported', { time })),
    withTime(took('downloading'), (time) => say('life.took.downloaded', { time })),
    withTime(weights, (time) => say('life.took.weights', { time })),
    withTime(took('compiling'), (time) => say('life.took.compiled', { time })),
    withTime(facts.kvTokens?.toLocaleString('en'), (tokens) => say('life.took.kv-tokens', { tokens })),
    withTime(took('capturing'), (time) => say('life.took.captured', { time })),
    say('life.took.listening'),
  ];
  return parts
    .filter((part) => part !== undefined)
    .map(toText)
    .join(' · ');
}

/**
 * From the launch to the first phase after the imports: they happen before the first line of the log, so the phase
 * `importing` itself says nothing about their time. Undefined when that moment was not seen.
 */
function toImported(phases: Story['phases']): string | undefined {
  const after = phases.findIndex(({ phase }) => phase !== 'spawned' && phase !== 'importing');
  const first = phases[after];
  if (first === undefined || (after === 0 && first.phase !== 'configuring')) return undefined;
  return toTook(first.elapsedMs);
}

function withTime(time: string | undefined, toMessage: (time: string) => Message): Message | undefined {
  return time === undefined ? undefined : toMessage(time);
}

function mark(event: DeploymentEvent, text: string): string {
  return event.simulated ? toText(say('life.simulated', { text })) : text;
}
