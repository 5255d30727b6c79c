import type { Check } from '../check.ts';

export const serviceChecks: readonly Check[] = [];
