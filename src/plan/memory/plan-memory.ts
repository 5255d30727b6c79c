/** What each GPU of a deployment will hold, whether that fits, and what would make it fit. Pure. */
import type { Memory } from '../plan.ts';
import { estimateMemory, type MemoryRequest } from './estimate.ts';
import { chooseSuggestion } from './suggest.ts';

export type { MemoryRequest } from './estimate.ts';

/** Undefined for what needs no GPU, for a GPU that does not tell its memory, and for a model that nobody knows. */
export function planMemory(request: MemoryRequest): Memory | undefined {
  const memory = estimateMemory(request)?.memory;
  const suggestion = memory && chooseSuggestion(request, memory);
  return memory && { ...memory, ...(suggestion ? { suggestion } : {}) };
}
