import type { Check } from '../check.ts';

export const cpuChecks: readonly Check[] = [];
