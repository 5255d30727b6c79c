import type { Check } from '../check.ts';

export const gpuHealthChecks: readonly Check[] = [];
