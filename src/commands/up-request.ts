/** What `up` is asked for, of its options. */
import type { MendRequest } from '../operate/remedy.ts';
import { type ProfileOptions, toProfileRequest } from './options.ts';

export interface UpOptions extends ProfileOptions {
  readonly dryRun?: true;
  readonly wait: boolean;
  readonly install: boolean;
  readonly rollback: boolean;
  readonly foreground?: true;
  readonly fix?: true;
  readonly write?: true;
  readonly skipPreflight?: true;
  readonly yes?: true;
  readonly timeout?: number;
}

export function toUpRequest(name: string | undefined, options: UpOptions): MendRequest {
  return {
    ...(name === undefined ? {} : { name }),
    ...toProfileRequest(options),
    install: options.install,
    wait: options.wait,
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
    again: options.profile === undefined,
    fix: options.fix ?? false,
    write: options.write ?? false,
    unchecked: options.skipPreflight ?? false,
    yes: options.yes ?? false,
    rollback: options.rollback,
    foreground: options.foreground ?? false,
  };
}
