/** `--skip-preflight`: what our checks would refuse is said, and started. */
import type { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import { toErrorText } from '../text/render.ts';
import type { Context } from './context.ts';
import type { MadePlans } from './plan.ts';
import { findBlockers } from './plan-up.ts';

/** Nothing can be started without an engine or Docker, and what would lay a machine open is refused whoever asks. */
const lasting = ['engine/no-executable', 'profile/exposed'];

/** Throws what no wish makes possible. */
export async function tellSkipped(made: MadePlans, holds: (at: number) => boolean, { emit }: Context): Promise<void> {
  const blockers = await findBlockers(made, holds, { every: true });
  const refused = blockers.find(isLasting);
  if (refused) throw refused;
  const texts = [
    ...blockers.map((error) => say('plan.sentence', { text: toErrorText(error).message })),
    ...findErrors(made).map(({ message }) => message),
  ];
  const distinct = [...new Map(texts.map((text) => [JSON.stringify(text), text])).values()];
  for (const text of distinct) emit({ type: 'said', level: 'warning', text: say('remedy.unchecked', { text }) });
}

/** What the rules say that knows no single cure: everything at once. */
export function findErrors({ all }: Pick<MadePlans, 'all'>): readonly Finding[] {
  const findings = all.flatMap(({ plan }) => plan.findings).filter(({ severity }) => severity === 'error');
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}

function isLasting({ code }: DeployError): boolean {
  return lasting.includes(code) || code.startsWith('docker/');
}
