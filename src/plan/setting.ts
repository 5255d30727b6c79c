/** One setting of vLLM with the decision that it stands for. */
import type { Message } from '../core/message.ts';
import type { Profile, SettingValue } from '../profile/profile.ts';
import { toDecision } from './decide.ts';
import type { Decision, DecisionOrigin } from './plan.ts';

export interface Setting {
  /** vLLM's long name without dashes in front. */
  readonly name: string;
  readonly value: SettingValue;
  readonly decision: Decision;
}

export interface Ours {
  readonly name: string;
  readonly value: SettingValue;
  /** Its place in the profile. */
  readonly setting: string;
  /** Why, when it was not written there. */
  readonly reason: Message;
  readonly from?: DecisionOrigin;
}

/** A setting that has its own place in the profile. */
export function toOurs(profile: Profile, { name, value, setting, reason, from = 'default' }: Ours): Setting {
  return { name, value, decision: toDecision(profile, { setting, value, otherwise: { from, reason } }) };
}

export interface Added {
  readonly name: string;
  readonly value: SettingValue;
  readonly from: DecisionOrigin;
  readonly reason: Message;
}

/** A setting that no profile gave. */
export function toAdded({ name, value, from, reason }: Added): Setting {
  return { name, value, decision: { setting: `argv.${name}`, value, from, reason } };
}
