/** Why a deployment steps to a lighter profile, and back: numbers, each with its limit. */
import { type Message, say } from './message.ts';
import { toDurationText } from './units.ts';

/** Shares of CPU and memory in percent, temperatures in °C, waits in seconds. */
export type PressureName = 'cpu' | 'host-memory' | 'gpu-memory' | 'gpu-temperature' | 'queue-wait';

export interface Pressure {
  readonly what: PressureName;
  readonly value: number;
  readonly limit: number;
}

export type PressureDirection = 'lighter' | 'back';

/** `host memory was 96 % (limit 92 %)`. */
export function toBecause(because: readonly Pressure[], to: PressureDirection = 'lighter'): Message | string {
  const parts = because.map(({ what, value, limit }) =>
    say(to === 'back' ? 'adapt.below' : 'adapt.at-limit', {
      what: names[what],
      value: toAmount(what, value),
      limit: toAmount(what, limit),
    }),
  );
  const [last, ...rest] = parts.toReversed();
  return last === undefined ? '' : rest.reduce<Message>((list, one) => say('adapt.and', { first: one, rest: list }), last);
}

const names: Readonly<Record<PressureName, Message>> = {
  cpu: say('adapt.what.cpu'),
  'host-memory': say('adapt.what.host-memory'),
  'gpu-memory': say('adapt.what.gpu-memory'),
  'gpu-temperature': say('adapt.what.gpu-temperature'),
  'queue-wait': say('adapt.what.queue-wait'),
};

function toAmount(what: PressureName, value: number): Message | string {
  if (what === 'queue-wait') return toDurationText(value * 1000);
  const amount = value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
  return what === 'gpu-temperature' ? say('adapt.unit.celsius', { amount }) : say('adapt.unit.percent', { amount });
}

/** For a list of what cannot be measured. */
export function toPressureNames(what: readonly PressureName[]): Message | string {
  const [last, ...rest] = what.map((name) => names[name]).toReversed();
  return last === undefined ? '' : rest.reduce<Message>((list, one) => say('adapt.and', { first: one, rest: list }), last);
}
