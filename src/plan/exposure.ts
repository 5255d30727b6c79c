/** What must never be reachable by others. Rules of profiles warn of more; this is what a start is refused for. */
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import type { Profile } from '../profile/profile.ts';
import { isOn } from '../profile/rules/read.ts';
import { isLoopback } from '../profile/rules/server.ts';

/** `profile/exposed`, or undefined. */
export function checkExposure(profile: Profile): DeployError | undefined {
  const { host } = profile.server;
  if (isLoopback(host)) return undefined;
  const found = findExposure(profile);
  return found && DeployError.of('profile/exposed', { host, ...found });
}

function findExposure(profile: Profile): { readonly problem: Message; readonly mend: Message } | undefined {
  const { server, engine } = profile;
  if (server.apiKey === undefined) return { problem: say('plan.exposed.no-key'), mend: say('plan.exposed.no-key.mend') };
  if (isOn(profile, 'trust-remote-code')) return { problem: say('plan.exposed.remote-code'), mend: say('plan.exposed.leave-out') };
  // Its routes run whatever is asked of them, and no key guards them.
  const isDeveloping = ['1', 'true'].includes((engine.env.VLLM_SERVER_DEV_MODE ?? '').toLowerCase());
  return isDeveloping ? { problem: say('plan.exposed.dev-mode'), mend: say('plan.exposed.leave-out') } : undefined;
}
