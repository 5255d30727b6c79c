/** Which image a person means: one that is named, or the pinned one of a version. */
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { parseImageName, toImageReference, toImageSettings } from '../engine/image-reference.ts';
import { isVersion } from '../engine/version.ts';
import type { Docker } from '../host/docker/docker.ts';
import type { EngineVariant } from '../profile/profile.ts';
import { defaultEngineVersion } from '../profile/resolve.ts';
import type { Context } from './context.ts';

export interface ImageRequest {
  readonly reference?: string;
  /** Of vLLM; beside a reference it is what the image has to have. */
  readonly version?: string;
  /** `gpu` when it is not said, also on machines without one: images are often brought for others. */
  readonly variant?: EngineVariant;
}

export type ImageContext = Pick<Context, 'places' | 'env' | 'cwd' | 'emit' | 'signal'>;

/** Throws `engine/image-bad-name`, `usage/bad-version`. */
export function toAskedReference(
  { reference, version = defaultEngineVersion, variant = 'gpu' }: ImageRequest,
  env: NodeJS.ProcessEnv,
): string {
  if (!isVersion(version)) throw DeployError.of('usage/bad-version', { version });
  const asked = reference ?? toImageReference(version, variant, toImageSettings(env));
  const name = parseImageName(asked);
  if (name === undefined) throw DeployError.of('engine/image-bad-name', { reference: asked });
  return name.text;
}

/** Says that what is asked for is not the same tomorrow. */
export function sayMovingTag(reference: string, { emit }: Pick<Context, 'emit'>): void {
  const name = parseImageName(reference);
  if (name?.digest !== undefined || !/^(?:latest|nightly)(?:-|$)/.test(name?.tag ?? '')) return;
  emit({ type: 'said', level: 'warning', text: say('engine.image-moving', { reference }) });
}

/** The engine that the environment names. Everything of dockerode is loaded here and not before. */
export async function openDocker({ env, signal }: Pick<Context, 'env' | 'signal'>): Promise<Docker> {
  const { connectDocker } = await import('../host/docker/connect.ts');
  return connectDocker(env, { timeoutMs: 10_000, signal });
}
