/** Whether a container has the GPUs that were ordered: by what its engine was asked for, and by a look inside. */
import type { ContainerSpec } from '../../plan/launch-spec.ts';

/** What `nvidia-smi -L` says inside; undefined where nobody can tell (there is none, it hangs, the container has ended). */
export type LookInside = () => Promise<string | undefined>;

export interface GpuCheck {
  /** As the engine took the order; absent: it does not say. */
  readonly told?: readonly string[] | undefined;
  readonly lookInside: LookInside;
}

/** What it has in place of them; undefined: those, or nobody can tell. */
export async function checkGpus(ordered: ContainerSpec['gpus'], { told, lookInside }: GpuCheck): Promise<string | undefined> {
  if (ordered === undefined) return undefined;
  if (told !== undefined && !isSame(told, ordered.ids)) return told.join(', ') || 'none';
  const inside = toUuids((await lookInside()) ?? '');
  if (inside.length === 0) return undefined;
  // Not known by UUID when the order was made: then they are counted.
  const isKnown = ordered.ids.every((id) => /^(GPU|MIG)-/.test(id));
  // A part of a GPU is listed below the GPU that it is of, which is not to be had as a whole.
  const kind = ordered.ids.some((id) => id.startsWith('MIG-')) ? 'MIG-' : 'GPU-';
  const had = inside.filter((uuid) => uuid.startsWith(kind));
  const isRight = isKnown ? isSame(had, ordered.ids) : had.length === ordered.ids.length;
  return isRight ? undefined : had.join(', ') || 'none';
}

function toUuids(text: string): readonly string[] {
  return [...text.matchAll(/\(UUID: ((?:GPU|MIG)-[\w-]+)\)/g)].flatMap(([, uuid]) => uuid ?? []);
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.toSorted().join() === other.toSorted().join();
}
