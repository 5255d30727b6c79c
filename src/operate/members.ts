/** Replicas of one profile as a group: which deployments a name means. A deployment of exactly that name comes first. */
import { listDeployments } from '../control/directory.ts';
import type { State } from '../supervisor/state.ts';
import type { Context } from './context.ts';
import { isExpectedAlive, readReadableState } from './find.ts';

export type Meant =
  | { readonly is: 'one'; readonly name: string | undefined }
  | { readonly is: 'group'; readonly group: string; readonly names: readonly string[] };

/** Without a name: the replicas, where nothing else is up. A name that nobody has is left to whoever looks for it. */
export async function findMeant(name: string | undefined, context: Pick<Context, 'places'>): Promise<Meant> {
  const known = listDeployments(context.places);
  if (name !== undefined && known.includes(name)) return { is: 'one', name };
  const states = await readStates(known, context);
  const group = name ?? findOnlyGroup(states);
  const all = states.filter((state) => group !== undefined && toGroup(state) === group).toSorted(byReplica);
  if (group === undefined || all.length === 0) return { is: 'one', name };
  // One that was taken down alone, or is not asked for any more, is not waited for.
  const wanted = all.filter((state) => state.desired === 'up' || isExpectedAlive(state));
  return { is: 'group', group, names: (wanted.length > 0 ? wanted : all).map((member) => member.name) };
}

/**
 * Deployments that are up and belong to what `up` is about to change, without being a part of it any more: replicas
 * beyond the number asked for, or the one that stood alone before there were replicas.
 */
export async function findSurplus(name: string, kept: readonly string[], context: Pick<Context, 'places'>): Promise<readonly State[]> {
  const others = listDeployments(context.places).filter((one) => !kept.includes(one));
  const states = await readStates(others, context);
  return states.filter((state) => (state.name === name || toGroup(state) === name) && isExpectedAlive(state)).toSorted(byReplica);
}

async function readStates(names: readonly string[], context: Pick<Context, 'places'>): Promise<readonly State[]> {
  const states = await Promise.all(names.map((name) => readReadableState(name, context)));
  return states.filter((state) => state !== undefined);
}

function findOnlyGroup(states: readonly State[]): string | undefined {
  const groups = new Set(states.filter(isExpectedAlive).map(toGroup));
  return groups.size === 1 ? [...groups][0] : undefined;
}

function toGroup({ wanted }: State): string | undefined {
  return wanted.source.member?.group;
}

function byReplica(a: State, b: State): number {
  return (a.wanted.source.member?.replica ?? 0) - (b.wanted.source.member?.replica ?? 0);
}
