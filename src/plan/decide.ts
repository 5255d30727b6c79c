import { type Message, say } from '../core/message.ts';
import type { Origin, Profile } from '../profile/profile.ts';
import type { Decision, DecisionOrigin } from './plan.ts';

export interface Otherwise {
  readonly from: DecisionOrigin;
  readonly reason: Message;
}

/** A decision about a setting of the profile: where it was written, or why it is as it is without that. */
export function toDecision(
  profile: Profile,
  asked: { readonly setting: string; readonly value: unknown; readonly otherwise: Otherwise },
): Decision {
  const { setting, value, otherwise } = asked;
  const origin = findOrigin(profile.origins, setting);
  return { setting, value, ...(origin ? toReason(origin) : otherwise) };
}

/** Of the path itself, of a part of it (a map has none of its own), or of what it is a part of (`model: ID`). */
function findOrigin(origins: Profile['origins'], path: string): Origin | undefined {
  if (Object.hasOwn(origins, path)) return origins[path];
  const below = Object.keys(origins).find((known) => known.startsWith(`${path}.`));
  const above = Object.keys(origins).find((known) => path.startsWith(`${known}.`));
  const found = below ?? above;
  return found === undefined ? undefined : origins[found];
}

function toReason(origin: Origin): Otherwise {
  return origin.from === 'set'
    ? { from: 'set', reason: say('plan.by-set', { text: origin.text }) }
    : { from: 'profile', reason: say('plan.by-profile', { file: origin.file, line: origin.line }) };
}
