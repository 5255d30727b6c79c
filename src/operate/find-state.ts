/** What a supervisor begins with: the state on disk, or a first one, and nothing of an earlier launch beside it. */
import type { DeploymentPaths } from '../control/directory.ts';
import { DeployError } from '../core/error.ts';
import type { Survivor } from '../core/event.ts';
import { type Message, say } from '../core/message.ts';
import { type Deployable, type State, toFirstState } from '../supervisor/state.ts';
import { readState, setAsideState } from '../supervisor/store.ts';
import { findStrays } from './strays.ts';

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

/** Without a record nothing can be adopted, and a second engine beside one that still runs must not be. */
export async function endStrays(
  paths: DeploymentPaths,
  { name, onLeftover }: { readonly name: string; readonly onLeftover: (survivors: readonly Survivor[]) => void },
): Promise<void> {
  for (const { remains } of await findStrays(paths)) {
    onLeftover(await remains.members());
    const [survivor] = await remains.kill(strayLimitMs);
    if (survivor) throw DeployError.of('runtime/unkillable', { name, survivors: `${survivor.command} (process ${survivor.pid})` });
    await remains.tidy();
  }
}
