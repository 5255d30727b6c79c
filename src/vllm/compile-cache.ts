/** A compile cache that cannot be read, as far as one line tells. No proof: but clearing it costs no more than one slow start. */
import type { ExitReport, StartPhase } from '../core/event.ts';

/** Past the weights, whose files may be pickles too. */
const phases: readonly (StartPhase | undefined)[] = ['compiling', 'profiling', 'kv-cache', 'capturing', 'warming'];

export function isCompileCacheDamage({ line = '', phase }: Pick<ExitReport, 'line' | 'phase'>): boolean {
  if (line.includes('torch_compile_cache')) return true;
  return phases.includes(phase) && /UnpicklingError|pickle data was truncated|EOFError: Ran out of input|bad magic number/.test(line);
}
