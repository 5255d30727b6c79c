/** A supervisor that a command starts belongs to systemd where `install` has made a unit for it. */
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { readTextFileNow } from '../host/files.ts';
import type { Context } from './context.ts';
import { readReadableState } from './find.ts';
import { commandManager, isManaged, isUnit, toUnitPlace } from './unit-systemd.ts';

/** Whether the unit has started it. Costs one look at a file where there is none, and never says no to supervision. */
export async function startByUnit(name: string, context: Context): Promise<boolean> {
  const { unit, path } = toUnitPlace(name, context);
  // The unit's own supervisor, which must not wait for itself.
  if (context.env.QWEN_DEPLOY_UNIT === unit || readTextFileNow(path) === undefined) return false;
  // What a new deployment begins with comes on our standard input, which the unit has not.
  if ((await readReadableState(name, context)) === undefined) return false;
  if (!(await isManaged(context)) || !(await isUnit('enabled', unit, context))) return false;
  try {
    await commandManager(['start', unit], context);
    return true;
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    context.emit({ type: 'said', level: 'warning', text: say('unit.start-failed', { unit, problem: String(error.params.problem) }) });
    return false;
  }
}
