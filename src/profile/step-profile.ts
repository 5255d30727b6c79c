import type { Profile } from './profile.ts';

/** A step of `adapt` as it runs in place of its base: clients, and who is told of what, must not notice. */
export function toStepProfile({ adapt: _, ...step }: Profile, base: Profile): Profile {
  const { server, servedNames, replicas, notify, logs, labels } = base;
  return { ...step, server, servedNames, replicas, notify, logs, labels };
}
