/**
 * Events retold as steps (`plan`, `engine`, `start`, `ready`, `stop`), each alive until it is done or has failed.
 * Pure, so that the spinner and the plain lines tell the same story.
 */
import type { DeployEvent, DeploymentEvent, StartFacts, StartPhase } from '../core/event.ts';
import { type Message, say } from '../core/message.ts';
import { toDurationText, toSizeText } from '../core/units.ts';
import { toText } from '../text/render.ts';
import { toGateText, toLifeText, toPhaseText, toReadyText } from './life-text.ts';

export type StoryLine =
  | { readonly is: 'live' | 'done' | 'failed'; readonly step: string; readonly text: string }
  | { readonly is: 'said'; readonly level: 'info' | 'warning'; readonly text: string };

export interface Story {
  /** Phases of the present launch in the order they began. */
  readonly phases: readonly { readonly phase: StartPhase; readonly elapsedMs: number }[];
  readonly facts: StartFacts;
  /** Whether the `start` step of the present launch has been closed. */
  readonly started: boolean;
}

/** A phase shorter than this took no time worth a word. */
const shortestMs = 50;

export const newStory: Story = { phases: [], facts: {}, started: false };

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
    case 'launched':
      return [story, [{ is: 'live', step: 'start', text }]];
    case 'launching':
      return [newStory, [{ is: 'live', step: 'start', text }]];
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
    case 'exited':
      if (event.expected) return [newStory, [{ is: 'live', step: 'stop', text }]];
      return [newStory, [{ is: 'failed', step: story.started ? 'ready' : 'start', text }]];
    case 'stopping':
    case 'killing':
    case 'survivors':
      return [story, [{ is: 'live', step: 'stop', text }]];
    case 'stopped':
      return [newStory, [{ is: 'done', step: 'stop', text }]];
    case 'unkillable':
      return [story, [{ is: 'failed', step: 'stop', text }]];
    case 'backoff':
    case 'crashloop':
    case 'rolling-back':
      return [newStory, [{ is: 'said', level: 'warning', text }]];
    case 'health':
      return [story, [{ is: 'said', level: event.ready ? 'info' : 'warning', text }]];
    case 'note':
      return [story, [{ is: 'said', level: 'info', text }]];
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
  if (phase !== 'listening') return [next, [{ is: 'live', step: 'start', text: mark(event, toPhaseText(phase, facts)) }]];
  const asking: StoryLine = { is: 'live', step: 'ready', text: mark(event, toPhaseText('verifying')) };
  return [{ ...next, started: true }, [...closeStart(next, event), asking]];
}

function closeStart(story: Story, event: DeploymentEvent): readonly StoryLine[] {
  if (story.started || story.phases.length === 0) return [];
  return [{ is: 'done', step: 'start', text: mark(event, toStartText(story)) }];
}

/** `imported 14 s · weights 0.3 s · KV cache 262,144 tokens · listening`; what was not seen is left out. */
function toStartText({ phases, facts }: Story): string {
  const took = (phase: StartPhase): string | undefined => {
    const at = phases.findIndex((entry) => entry.phase === phase);
    const from = phases[at];
    const to = phases[at + 1];
    const ms = from === undefined || to === undefined ? 0 : to.elapsedMs - from.elapsedMs;
    return toTook(ms);
  };
  const weights = facts.weightsSeconds === undefined ? took('loading') : toTook(facts.weightsSeconds * 1000);
  const parts = [
    withTime(took('importing'), (time) => say('life.took.imported', { time })),
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

/** Never milliseconds: `weights 0.3 s` stands beside `imported 14 s`. */
function toTook(ms: number): string | undefined {
  if (ms < shortestMs) return undefined;
  return ms < 1000 ? `${(ms / 1000).toFixed(1)} s` : toDurationText(ms);
}

function withTime(time: string | undefined, toMessage: (time: string) => Message): Message | undefined {
  return time === undefined ? undefined : toMessage(time);
}

function mark(event: DeploymentEvent, text: string): string {
  return event.simulated ? toText(say('life.simulated', { text })) : text;
}
