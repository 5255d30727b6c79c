/** What an engine printed about itself while starting, in words. */
import type { StartFacts } from '../core/event.ts';
import { type Message, say } from '../core/message.ts';
import { toDurationText, toSizeText } from '../core/units.ts';
import { toText } from '../text/render.ts';

/** `KV cache 262,144 tokens, room for 64 full requests at once`; empty when there is nothing but a percentage. */
export function toFactsText(facts: StartFacts): string {
  const { maxModelLen, kvBytes, kvTokens, maxConcurrency, graphBytes } = facts;
  const parts = [
    maxModelLen === undefined ? undefined : say('life.fact.model-length', { tokens: maxModelLen.toLocaleString('en') }),
    toWeights(facts),
    kvBytes === undefined ? undefined : say('life.fact.kv-size', { size: toSizeText(kvBytes) }),
    kvTokens === undefined ? undefined : say('life.fact.kv-tokens', { tokens: kvTokens.toLocaleString('en') }),
    maxConcurrency === undefined ? undefined : say('life.fact.concurrency', { count: toCount(maxConcurrency) }),
    !graphBytes ? undefined : say('life.fact.graphs', { size: toSizeText(graphBytes) }),
  ];
  return parts
    .filter((part) => part !== undefined)
    .map(toText)
    .join(', ');
}

/** A phase shorter than this took no time worth a word. */
const shortestMs = 50;

/** How long something took, never in milliseconds: `weights 0.3 s` stands beside `imported 14 s`. */
export function toTook(ms: number): string | undefined {
  if (ms < shortestMs) return undefined;
  return ms < 1000 ? `${(ms / 1000).toFixed(1)} s` : toDurationText(ms);
}

function toWeights({ weightsBytes, weightsSeconds }: StartFacts): Message | undefined {
  const time = weightsSeconds === undefined ? undefined : toSecondsText(weightsSeconds);
  if (weightsBytes === undefined) return time === undefined ? undefined : say('life.fact.weights-time', { time });
  const size = toSizeText(weightsBytes);
  return time === undefined ? say('life.fact.weights', { size }) : say('life.fact.weights-both', { size, time });
}

function toSecondsText(seconds: number): string {
  return toTook(seconds * 1000) ?? toText(say('life.fact.instant'));
}

/** Tenths only where they say something: `1.4`, but `64`. */
function toCount(count: number): string {
  return count < 10 ? String(Math.round(count * 10) / 10) : Math.round(count).toLocaleString('en');
}
