import type { Profile, SettingValue } from './profile.ts';

/** Over how many GPUs one engine spreads, and how. */
export interface Parallel {
  readonly tensor: number;
  readonly pipeline: number;
  readonly data: number;
  /** All of them together. */
  readonly gpus: number;
  /** `tensor` was not written: it follows from the number of GPUs. */
  readonly follows: boolean;
}

const sizes = ['tensor-parallel-size', 'pipeline-parallel-size', 'data-parallel-size'] as const;

/**
 * Who gives an engine several GPUs wants all of them at work, and vLLM would take the first one alone: so without a
 * word about how, they share each layer (tensor parallel). A list for several replicas is what they share out instead.
 */
export function toParallel({ vllm, resources, replicas }: Pick<Profile, 'vllm' | 'resources' | 'replicas'>): Parallel {
  const [tensor, pipeline, data] = [toCount(vllm[sizes[0]]), toCount(vllm[sizes[1]]), toCount(vllm[sizes[2]])];
  const { gpus } = resources;
  const asked = typeof gpus === 'number' ? gpus : typeof gpus === 'object' && replicas === 1 ? gpus.length : 1;
  const follows = asked > 1 && sizes.every((name) => !(name in vllm));
  return follows
    ? { tensor: asked, pipeline, data, gpus: asked, follows }
    : { tensor, pipeline, data, gpus: tensor * pipeline * data, follows };
}

function toCount(value: SettingValue | undefined): number {
  return typeof value === 'number' && value >= 1 ? value : 1;
}
