import type { Check } from '../check.ts';

export const gpuChecks: readonly Check[] = [];
