import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import type { Profile } from '../profile/profile.ts';
import type { Context } from './context.ts';

/** What an installation needs on disk, roughly; measured for the CPU engine with the CUDA build of torch. */
const sizeTexts = { cpu: '1.5 to 6 GiB', gpu: '10 GiB' } as const;

/** Installs the profile's managed engine, after saying so; with `install: false` it refuses instead. */
export async function ensureEngine(profile: Profile, { install }: { readonly install: boolean }, context: Context): Promise<void> {
  const { variant, version } = profile.engine;
  if (!install) throw DeployError.of('engine/not-installed', { variant, version });
  const engine = `vLLM ${version} (${variant})`;
  context.emit({ type: 'said', level: 'info', text: say('up.engine-missing', { engine, size: sizeTexts[variant] }) });
  const { installEngine } = await import('./engine-install.ts');
  await installEngine({ variant, version }, context);
}

/** Whether an error means that vLLM cannot be had on this machine at all. */
export function isUninstallable(error: unknown): error is DeployError {
  const codes = ['engine/no-python', 'engine/no-venv', 'engine/no-index', 'engine/not-installed', 'host/disk-full'];
  return error instanceof DeployError && codes.includes(error.code);
}
