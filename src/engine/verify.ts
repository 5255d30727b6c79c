/** The proof that an installed engine runs: vLLM imported by its own Python, with its platform recognised. */
import { type Message, say } from '../core/message.ts';
import type { EngineVariant } from '../profile/profile.ts';
import { toPublicVersion } from './version.ts';

/** vLLM logs to stdout while importing, so the answer is marked. */
const mark = 'qwen-deploy-engine ';

export const verifyScript = [
  'import importlib.metadata as m, json, platform, torch, vllm',
  'from vllm.platforms import current_platform as p',
  `print("\\n${mark}" + json.dumps({"vllm": m.version("vllm"), "torch": torch.__version__, "python": platform.python_version(), "device": p.device_type}))`,
].join('; ');

/** A first import on a slow disk takes a minute and more; 10 to 20 s are usual. */
export const verifyLimitMs = 300_000;

export interface Verified {
  readonly vllm: string;
  readonly torch: string;
  readonly python: string;
  /** vLLM's word for its platform: `cpu`, `cuda`, or empty when it recognised none. */
  readonly device: string;
}

export function parseVerified(stdout: string): Verified | undefined {
  const line = stdout.split('\n').findLast((text) => text.startsWith(mark));
  if (line === undefined) return undefined;
  const value: Partial<Verified> = JSON.parse(line.slice(mark.length));
  return { vllm: value.vllm ?? '', torch: value.torch ?? '', python: value.python ?? '', device: value.device ?? '' };
}

/** What is wrong with it, or undefined when it is what was asked for. */
export function toMismatch(found: Verified, wanted: { readonly variant: EngineVariant; readonly version: string }): Message | undefined {
  if (toPublicVersion(found.vllm) !== wanted.version)
    return say('engine.wrong-version', { found: found.vllm || '?', wanted: wanted.version });
  const device = wanted.variant === 'cpu' ? 'cpu' : 'cuda';
  return found.device === device ? undefined : say('engine.wrong-platform', { found: found.device, wanted: device });
}
