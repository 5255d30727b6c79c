/** What a supervisor begins with: the state on disk, or a first one, and nothing of an earlier launch beside it. */
import type { DeploymentPaths } from '../control/directory.ts';
import { DeployError } from '../core/error.ts';
import type { Survivor } from '../core/event.ts';
import { type Message, say } from '../core/message.ts';
import { toProblem } from '../supervisor/launch/work.ts';
import { type Deployable, type State, toFirstState } from '../supervisor/state.ts';
import { readState, setAsideState } from '../supervisor/store.ts';
import type { Context } from './context.ts';
import { endStrayContainer, findStrayContainers, findStrays } from './strays.ts';

const strayLimitMs = 10_000;

export interface FoundState {
  readonly state: State;
  readonly isFirst: boolean;
  readonly notes: readonly Message[];
}

/** A state that cannot be read is kept aside once there is another one to begin with; before that it stays where it is. */
export async function findState(
  paths: DeploymentPaths,
  { name, first }: { readonly name: string; readonly first: () => Promise<Deployable | undefined> },
): Promise<FoundState> {
  const begin = async () => {
    const wanted = await first();
    return wanted && toFirstState(name, wanted);
  };
  try {
    const known = await readState(paths.state, name);
    const state = known ?? (await begin());
    if (state === undefined) throw DeployError.of('deployment/unknown', { name, nearest: '' });
    return { state, isFirst: known === undefined, notes: [] };
  } catch (error) {
    if (!(error instanceof DeployError) || error.code !== 'state/corrupt') throw error;
    const state = await begin();
    if (state === undefined) throw error;
    const kept = await setAsideState(paths.state, Date.now());
    return { state, isFirst: true, notes: [say('life.state-lost', { kept })] };
  }
}

export interface EndingStrays {
  readonly name: string;
  readonly wanted: Deployable;
  readonly onLeftover: (survivors: readonly Survivor[]) => void;
  readonly onNote: (note: Message) => void;
}

/** Without a record nothing can be adopted, and a second engine beside one that still runs must not be. */
export async function endStrays(paths: DeploymentPaths, context: Pick<Context, 'env' | 'places'>, ending: EndingStrays): Promise<void> {
  const { name, onLeftover } = ending;
  for (const { remains } of await findStrays(paths)) {
    onLeftover(await remains.members());
    const [survivor] = await remains.kill(strayLimitMs);
    if (survivor) throw DeployError.of('runtime/unkillable', { name, survivors: `${survivor.command} (process ${survivor.pid})` });
    await remains.tidy();
  }
  await endStrayContainers(context, ending);
}

/** It may have been another backend's before; that a process should start does not hang on Docker. */
async function endStrayContainers(
  context: Pick<Context, 'env' | 'places'>,
  { name, wanted, onLeftover, onNote }: EndingStrays,
): Promise<void> {
  if (wanted.spec.simulated) return;
  const found = await findStrayContainers(context, ({ deployment }) => deployment === name);
  if (found.is === 'unasked') {
    if (wanted.spec.backend === 'docker') onNote(say('life.containers-unasked', { problem: toProblem(found.problem) }));
    return;
  }
  for (const stray of found.strays) {
    const living = await stray.remains.members();
    if (living.length > 0) onLeftover(living);
    else onNote(say('life.container-left', { container: stray.container.name }));
    await endStrayContainer(stray);
  }
}
