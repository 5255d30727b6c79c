/** What a start on a GPU reported of its memory is kept for the next plan of the same. */
import { join } from 'node:path';
import { DeployError } from '../core/error.ts';
import { ensurePrivateDirectory, errnoOf, writeFileAtomic } from '../host/files.ts';
import { openLog } from '../host/tail.ts';
import { type BootReport, parseBootLog } from '../plan/memory/boot-log.ts';
import { type Calibration, toCalibrationDirectory, toCalibrationFile } from '../plan/memory/calibration.ts';
import { toCalibrationOrigin } from '../plan/memory/of-facts.ts';
import type { State } from '../supervisor/state.ts';
import type { Context } from './context.ts';
import type { MadePlan } from './plan.ts';

/**
 * Called when a launch is ready. Nothing comes of it where the log does not tell (the simulator, a CPU, an exact cache)
 * and where the profile gives another plan by now. A disk that is full or a profile that is gone keep nobody up.
 */
export async function learnMemory(state: State, context: Context): Promise<Calibration | undefined> {
  const { wanted, launch } = state;
  if (wanted.spec.simulated || launch === undefined) return undefined;
  try {
    const report = parseBootLog(await readStart(launch.logFile));
    const made = report && (await planAgain(state, context));
    const calibration = made && toCalibration(report, made);
    if (calibration === undefined) return undefined;
    const directory = toCalibrationDirectory(context.places);
    await ensurePrivateDirectory(context.places.state);
    await ensurePrivateDirectory(directory);
    await writeFileAtomic(join(directory, toCalibrationFile(calibration.key)), `${JSON.stringify(calibration)}\n`);
    return calibration;
  } catch (error) {
    if (error instanceof DeployError || errnoOf(error) !== undefined) return undefined;
    throw error;
  }
}

/** What comes after it is requests; a start that talks more than this says nothing new. */
const mostLines = 50_000;

async function readStart(logFile: string): Promise<readonly string[]> {
  const tail = await openLog(logFile);
  const lines: string[] = [];
  do {
    lines.push(...(await tail.readLines()));
  } while (tail.behind && lines.length < mostLines);
  return lines;
}

/** The profile and the GPUs are not in the record; the same plan is made again, and only the very same counts. */
async function planAgain({ name, wanted }: State, context: Context): Promise<MadePlan | undefined> {
  const { source, spec } = wanted;
  const { group = name, replica } = source.member ?? {};
  const { makePlanOf, toAskedAgain } = await import('./plan.ts');
  const asked = {
    ...toAskedAgain(source),
    name: group,
    backend: spec.backend,
    ...(replica === undefined ? {} : { replica }),
  };
  const made = await makePlanOf(asked, context);
  return made?.spec.hash === spec.hash ? made : undefined;
}

function toCalibration(report: BootReport, { profile, facts, plan, replica }: MadePlan): Calibration | undefined {
  const origin = toCalibrationOrigin(profile, facts, replica);
  const { memory } = plan;
  if (origin === undefined || memory === undefined) return undefined;
  const { totalBytes, budgetBytes } = memory;
  return { ...origin, at: new Date().toISOString(), totalBytes, budgetBytes, ...report };
}
