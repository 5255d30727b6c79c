/** What earlier versions wrote, in the shape of today: `diagnosis` was the name of a cause, and `report` the diagnosis. */
import type { DeploymentEvent, ExitReport } from '../core/event.ts';
import type { Deployment } from './deployment.ts';
import { type State, stateSchema } from './state.ts';

export function upgradeState(state: State): State {
  if (state.schema === stateSchema) return state;
  const { lastExit, ending, falling } = state;
  return {
    ...state,
    schema: stateSchema,
    ...(lastExit ? { lastExit: upgradeExit(lastExit) } : {}),
    ...(ending?.is === 'failure' ? { ending: { ...ending, exit: upgradeExit(ending.exit) } } : {}),
    ...(falling ? { falling: { ...falling, exit: upgradeExit(falling.exit) } } : {}),
  };
}

/** Of a journal, which versions write to in turn, or of a supervisor that began before an update. */
export function upgradeEvent(event: DeploymentEvent): DeploymentEvent {
  return event.type === 'exited' || event.type === 'failed' ? { ...event, exit: upgradeExit(event.exit) } : event;
}

/** Of a supervisor that began before an update. */
export function upgradeDeployment(deployment: Deployment): Deployment {
  const { lastExit } = deployment;
  return lastExit ? { ...deployment, lastExit: upgradeExit(lastExit) } : deployment;
}

type OlderExit = Omit<ExitReport, 'diagnosis'> & { readonly diagnosis?: unknown; readonly report?: ExitReport['diagnosis'] };

function upgradeExit(exit: ExitReport): ExitReport {
  const { diagnosis, report, ...rest }: OlderExit = exit;
  if (typeof diagnosis !== 'string' && report === undefined) return exit;
  return { ...rest, ...(typeof diagnosis === 'string' ? { reason: diagnosis } : {}), ...(report ? { diagnosis: report } : {}) };
}
