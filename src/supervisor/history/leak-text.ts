import { type Message, say } from '../../core/message.ts';
import { toDurationText, toSizeText } from '../../core/units.ts';
import type { State } from '../state.ts';
import { type Leak, type Room, toEnd } from './leak-watch.ts';

/** The picture in one sentence: from where to where, how fast, and when that ends. */
export function toLeakText(leak: Leak, state: State, availableBytes: number): Message {
  const room = toRoom(state, availableBytes);
  const end = toEnd(leak, room);
  const time = toDurationText(end.inMs);
  const cap = toSizeText(room.capBytes ?? 0);
  return say('life.memory-grows', {
    rate: toSizeText(leak.bytesPerHour),
    start: toSizeText(leak.startBytes),
    duration: toDurationText(Math.max(0, leak.nowAtMs - leak.startAtMs)),
    now: toSizeText(leak.nowBytes),
    after: end.of === 'cap' ? say('life.memory-ends-cap', { cap, time }) : say('life.memory-ends-machine', { time }),
  });
}

/** A cap that could not be set ends nothing. */
export function toRoom({ launch, wanted }: State, availableBytes: number): Room {
  const { memoryBytes } = wanted.spec.resources;
  const capped = memoryBytes !== undefined && launch?.memoryCapProblem === undefined;
  return { availableBytes, ...(capped ? { capBytes: memoryBytes } : {}) };
}
