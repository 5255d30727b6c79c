/** `uninstall`: the unit goes, the deployment stays as it is. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { toNearest } from '../core/nearest.ts';
import { errnoOf } from '../host/files.ts';
import type { Context } from './context.ts';
import { isExpectedAlive, readReadableState } from './find.ts';
import type { UnitReport } from './install-unit.ts';
import { superviseDetached } from './unit-handover.ts';
import { commandManager, isManaged, toUnitDirectory, toUnitPlace, unitPattern } from './unit-systemd.ts';

/** Without names: the only unit there is. Throws `unit/none`, `unit/systemctl`, `deployment/several`. */
export async function uninstallUnits(names: readonly string[], context: Context): Promise<readonly UnitReport[]> {
  const installed = await listUnits(context);
  const meant = names.length === 0 ? [chooseOnly(installed)] : [...new Set(names)];
  // All are looked for before the first one goes.
  for (const name of meant) if (!installed.includes(name)) throw toUnknown(name, installed);
  const reports: UnitReport[] = [];
  for (const name of meant) reports.push(await uninstallOne(name, context));
  return reports;
}

async function uninstallOne(name: string, context: Context): Promise<UnitReport> {
  const { unit, path } = toUnitPlace(name, context);
  const managed = await isManaged(context);
  /*
   * Stopped before its file goes: a unit that is running without one is back to systemd's defaults, and the default
   * KillMode would end the engine with the supervisor.
   */
  if (managed) await commandManager(['disable', '--now', unit], context);
  await rm(path, { force: true });
  await rm(join(toUnitDirectory(context), 'default.target.wants', unit), { force: true });
  if (managed) await commandManager(['daemon-reload'], context);
  const state = await readReadableState(name, context);
  const lives = state !== undefined && isExpectedAlive(state);
  if (lives && managed) await superviseDetached(state, context);
  return {
    kind: 'Unit',
    version: 1,
    deployment: name,
    unit,
    path,
    changed: true,
    enabled: false,
    active: false,
    verified: false,
    ...(lives ? { notes: [say('unit.goes-on', { name })] } : {}),
  };
}

async function listUnits(context: Context): Promise<readonly string[]> {
  try {
    const files = await readdir(toUnitDirectory(context));
    return files.flatMap((file) => unitPattern.exec(file)?.[1] ?? []).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function chooseOnly(installed: readonly string[]): string {
  const [first, ...others] = installed;
  if (first === undefined) throw DeployError.of('unit/none', {});
  if (others.length > 0) throw DeployError.of('deployment/several', { names: installed.join(', '), command: 'uninstall' });
  return first;
}

function toUnknown(name: string, installed: readonly string[]): DeployError {
  const near = toNearest(name, installed);
  return DeployError.of('unit/unknown', { name, nearest: near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : '' });
}
