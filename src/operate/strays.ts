/** Processes of this deployment that no record speaks of: its state was lost, they were not. */
import { type DeploymentPaths, listLaunches, toLaunchPaths } from '../control/directory.ts';
import { readBootId } from '../host/proc.ts';
import { createProcessRuntime } from '../runtime/process.ts';
import type { Remains } from '../runtime/runtime.ts';

export interface Stray {
  readonly launchId: string;
  readonly remains: Remains;
}

/** Launches with live processes, found by the logs that these hold. */
export async function findStrays(paths: DeploymentPaths): Promise<readonly Stray[]> {
  const bootId = await readBootId();
  const runtime = createProcessRuntime({});
  const strays: Stray[] = [];
  for (const launchId of await listLaunches(paths)) {
    const { logFile, exitFile, tmpDir } = toLaunchPaths(paths, launchId);
    const record = { launchId, run: 0, backend: 'process', createdAt: '', bootId, logFile, exitFile, tmpDir, port: 0, host: '' } as const;
    const remains = runtime.remains(record);
    if ((await remains.members()).length > 0) strays.push({ launchId, remains });
  }
  return strays;
}
