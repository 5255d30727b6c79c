import type { Check } from '../check.ts';

export const limitChecks: readonly Check[] = [];
