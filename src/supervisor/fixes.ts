/** What `--fix` has made different from what was asked for, one line for each setting. */
import type { Deployment, RunningWith } from './deployment.ts';
import type { Deployable } from './state.ts';

/** A setting that was changed twice went from its first value to its last. */
export function toRunningWith({ fixes = [] }: Pick<Deployable['source'], 'fixes'>): Pick<Deployment, 'running'> {
  const byPath = new Map<string, RunningWith>();
  for (const { changes, cause } of fixes)
    for (const change of changes) {
      const { from: _, ...later } = change;
      const first = byPath.get(change.path);
      const { to: __, because: ___, ...before } = first ?? { ...change, because: cause };
      byPath.set(change.path, { ...before, ...later, because: cause });
    }
  const running = [...byPath.values()].filter(({ from, to }) => JSON.stringify(from ?? null) !== JSON.stringify(to ?? null));
  return running.length === 0 ? {} : { running };
}
