/** How much memory loading alone takes, as far as it is known before anything is started. */
import { toModelFacts } from '../model/catalogue.ts';
import type { Profile } from './profile.ts';

/** Measured with vLLM 0.32 on a CPU: under that the kernel ends even a model without weights. */
const engineBytes = 1.5 * 2 ** 30;

/** Bytes. With weights it takes more; how much more depends on how they are packed, so only the weights themselves count. */
export function toLoadBytes({ engine, model, vllm }: Profile): number {
  const isLoaded = engine.variant === 'cpu' && vllm['load-format'] !== 'dummy' && model.source === 'hub';
  return engineBytes + (isLoaded ? (toModelFacts(model.id)?.weightsBytes ?? 0) : 0);
}
