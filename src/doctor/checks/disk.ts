import type { Check } from '../check.ts';

export const diskChecks: readonly Check[] = [];
