import type { Check } from '../check.ts';

export const engineChecks: readonly Check[] = [];
