import type { Check } from '../check.ts';

export const dockerChecks: readonly Check[] = [];
