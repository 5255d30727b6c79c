import type { LaunchSpec } from '../plan/launch-spec.ts';
import type { Notification } from '../profile/profile.ts';
import { readSecret } from '../supervisor/launch/work.ts';
import type { Deployable } from '../supervisor/state.ts';
import type { Context } from './context.ts';

/**
 * Values of `env:` references from this shell, to be handed to the supervisor in memory (it may have been started
 * from another shell). Checked now, so that a missing one is an error before anything is started; but nothing is
 * held up by one of a notification.
 */
export async function readOwnSecrets(
  { spec, notify = [], adapt }: Deployable,
  context: Context,
): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const variable of notify.flatMap(toVariables)) {
    const value = context.env[variable];
    if (value) found[variable] = value;
  }
  // Those of lighter profiles too: who steps to them has no shell to ask.
  const specs = [spec, ...(adapt?.ladder ?? []).map((rung) => rung.spec)];
  for (const ref of new Set(specs.flatMap(({ secretEnv }) => Object.values(secretEnv)))) {
    const value = await readSecret(ref, toStrings(context.env));
    if (ref.startsWith('env:')) found[ref.slice('env:'.length)] = value;
  }
  return found;
}

/** The key that requests to this deployment need, when this shell can know it. */
export async function readApiKey(spec: LaunchSpec, context: Context): Promise<string | undefined> {
  return spec.apiKey === undefined ? undefined : readSecret(spec.apiKey, toStrings(context.env));
}

function toVariables(notification: Notification): readonly string[] {
  if ('command' in notification) return [];
  const texts = [notification.webhook, ...Object.values(notification.headers)];
  return texts.flatMap((text) => (text.startsWith('env:') ? [text.slice('env:'.length)] : []));
}

function toStrings(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
