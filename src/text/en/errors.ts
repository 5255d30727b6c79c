/**
 * Every error code: what is wrong, with the wrong value, and the next step. `{name}` is a parameter.
 * Codes are stable public interface (`explain CODE`). One file for some areas; an area is what stands before the slash.
 */
import { deploymentErrors } from './errors-deployment.ts';
import { dockerErrors } from './errors-docker.ts';
import { engineErrors } from './errors-engine.ts';
import { hostErrors } from './errors-host.ts';
import { profileErrors } from './errors-profile.ts';
import { runtimeErrors } from './errors-runtime.ts';
import { usageErrors } from './errors-usage.ts';

export const errors = {
  ...usageErrors,
  ...profileErrors,
  ...hostErrors,
  ...engineErrors,
  ...dockerErrors,
  ...runtimeErrors,
  ...deploymentErrors,
} as const;
