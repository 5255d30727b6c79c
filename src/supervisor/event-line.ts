import type { DeploymentEvent } from '../core/event.ts';
import { upgradeEvent } from './older.ts';

/** One line of a journal; undefined for a cut or foreign one. */
export function parseEvent(line: string): DeploymentEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'seq' in value && 'type' in value
      ? upgradeEvent(value as DeploymentEvent)
      : undefined;
  } catch {
    // the last line may be cut by a crash; every other cut line is as useless
    return undefined;
  }
}
