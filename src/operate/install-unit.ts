/** `install`: a systemd user unit per deployment, so that its supervisor comes back after a reboot and after its own death. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DeployError } from '../core/error.ts';
import type { DeployEvent } from '../core/event.ts';
import { type Message, say } from '../core/message.ts';
import { errnoOf, readTextFile, writeFileAtomic } from '../host/files.ts';
import { toPackagePath } from '../host/package-files.ts';
import type { Context } from './context.ts';
import { findDeployment, isExpectedAlive, type Known } from './find.ts';
import { findMeant } from './members.ts';
import { ensureSecretFile, type SecretFile, type SecretFileFacts, toUnitEnvironment } from './unit-environment.ts';
import { endSupervisor } from './unit-handover.ts';
import {
  commandManager,
  isManaged,
  isUnit,
  readLingering,
  readUserName,
  toUnitPlace,
  type UnitPlace,
  type Verdict,
  verifyUnit,
} from './unit-systemd.ts';
import { renderUnit, toUnitDifference } from './unit-text.ts';

export interface InstallRequest {
  /** None: the only deployment. */
  readonly names: readonly string[];
  readonly yes: boolean;
}

export interface UnitReport {
  readonly kind: 'Unit';
  readonly version: 1;
  readonly deployment: string;
  readonly unit: string;
  readonly path: string;
  /** Whether the file was written or removed by this command. */
  readonly changed: boolean;
  /** Starts with this user's service manager: at boot where lingering is on, else at the first login. */
  readonly enabled: boolean;
  /** Supervises right now. */
  readonly active: boolean;
  /** `systemd-analyze verify` has nothing against it. */
  readonly verified: boolean;
  readonly lingering?: boolean;
  /** Where the secrets belong that the unit must not hold. */
  readonly environmentFile?: SecretFile & Pick<SecretFileFacts, 'missing'>;
  /** What keeps it from working as it should. */
  readonly problems?: readonly Message[];
  /** What holds for it and is worth knowing. */
  readonly notes?: readonly Message[];
  /** What is left to the person, in this order. */
  readonly commands?: readonly string[];
}

/** Throws `unit/refused`, `unit/systemctl`, `unit/not-active`, `unit/handover`, `confirm/needed`, `confirm/declined`. */
export async function installUnits({ names, yes }: InstallRequest, context: Context): Promise<readonly UnitReport[]> {
  const meant: readonly (string | undefined)[] = names.length === 0 ? [undefined] : names;
  const groups = await Promise.all(meant.map((name) => findMeant(name, context)));
  const all = groups.flatMap((group): readonly (string | undefined)[] => (group.is === 'one' ? [group.name] : group.names));
  const reports: UnitReport[] = [];
  // One after the other: each asks by itself, and its supervisor changes hands.
  for (const name of new Set(all)) reports.push(await installOne(name, { yes }, context));
  return reports;
}

async function installOne(asked: string | undefined, { yes }: Pick<InstallRequest, 'yes'>, context: Context): Promise<UnitReport> {
  const known = await findDeployment(asked, 'install', context);
  const { name, state, paths } = known;
  const place = toUnitPlace(name, context);
  const { plain, file } = toUnitEnvironment(name, state.wanted.spec, context);
  const [program, ...args] = context.programs.self;
  const skeleton = (await readTextFile(toPackagePath('templates', 'systemd', 'supervisor.service'))) ?? '';
  const text = renderUnit(skeleton, {
    name,
    directory: paths.directory,
    // What MemoryHigh= would be for, were the engine not in the same control group.
    command: [program, '--max-old-space-size=256', ...args, 'supervise', name],
    environment: { ...plain, QWEN_DEPLOY_UNIT: place.unit },
    ...(file === undefined ? {} : { environmentFile: file.path }),
  });
  const verdict = await verifyUnit(place, text, context);
  if (verdict.is === 'wrong') throw DeployError.of('unit/refused', { unit: place.unit, problem: verdict.problem });
  const changed = await putUnit(place, { text, yes }, context);
  const facts = file && (await ensureSecretFile(file));
  return activate({ known, place, changed, verdict, ...(file && facts ? { secrets: { ...file, ...facts } } : {}) }, context);
}

/** Whether it was not there, or not the same. */
async function putUnit({ unit, path }: UnitPlace, { text, yes }: { readonly text: string; readonly yes: boolean }, context: Context) {
  const before = await readTextFile(path);
  if (before === text) return false;
  if (before !== undefined) {
    tell(context, 'info', say('unit.differs', { path }));
    for (const line of toUnitDifference(before, text)) tell(context, 'info', say('unit.line', { line }));
    if (!yes && !(await context.confirm(say('unit.confirm', { unit }), '--yes')))
      throw DeployError.of('confirm/declined', { option: '--yes' });
  }
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, text, 0o644);
  } catch (error) {
    throw DeployError.of('host/not-written', { file: path, problem: errnoOf(error) ?? String(error) }, { cause: error });
  }
  return true;
}

interface Placed {
  readonly known: Known;
  readonly place: UnitPlace;
  readonly changed: boolean;
  readonly verdict: Verdict;
  readonly secrets?: SecretFile & SecretFileFacts;
}

async function activate(placed: Placed, context: Context): Promise<UnitReport> {
  const { known, place, changed, verdict, secrets } = placed;
  const report = {
    kind: 'Unit',
    version: 1,
    deployment: known.name,
    ...place,
    changed,
    enabled: false,
    active: false,
    verified: verdict.is === 'right',
    ...(secrets
      ? { environmentFile: { path: secrets.path, variables: secrets.variables, also: secrets.also, missing: secrets.missing } }
      : {}),
  } as const;
  const problems = [...(verdict.is === 'unknown' ? [say('unit.not-verified', { problem: verdict.problem })] : []), ...toProblems(secrets)];
  const told = problems.length === 0 ? {} : { problems };
  const user = readUserName(context);
  const linger = `loginctl enable-linger ${user}`;
  if (!(await isManaged(context))) {
    const commands = [`systemctl --user daemon-reload && systemctl --user enable --now ${place.unit}`, linger];
    return { ...report, ...told, notes: [say('unit.no-manager', { user }), ...toNotes(secrets)], commands };
  }
  await commandManager(['daemon-reload'], context);
  // Without its secrets the engine could not be started again: the supervisor that has them stays.
  if (secrets && secrets.missing.length > 0) return { ...report, ...told, commands: [`qwen-deploy install ${known.name}`] };
  await commandManager(['enable', place.unit], context);
  const active = await startUnit(placed, context);
  const lingering = await readLingering(user, context);
  const notes = [...(active ? [] : [say('unit.idle', { name: known.name })]), toLingerNote(lingering, user), ...toNotes(secrets)];
  return {
    ...report,
    ...told,
    enabled: true,
    active,
    ...(lingering === undefined ? {} : { lingering }),
    notes,
    ...(lingering ? {} : { commands: [linger] }),
  };
}

/** Whether it supervises now: what is down needs nobody, and `up` starts the unit then. */
async function startUnit({ known, place: { unit }, changed }: Placed, context: Context): Promise<boolean> {
  const { name, state, paths } = known;
  if (await isUnit('active', unit, context)) {
    // The engine does not notice: it is left and adopted.
    if (changed) await commandManager(['restart', unit], context);
  } else {
    if (!isExpectedAlive(state)) return false;
    const pid = await endSupervisor(name, paths);
    if (pid !== undefined) tell(context, 'info', say('unit.handover', { name, pid, unit }));
    await commandManager(['start', unit], context);
  }
  if (!(await isUnit('active', unit, context))) throw DeployError.of('unit/not-active', { unit, name });
  return true;
}

function toProblems(secrets: Placed['secrets']): readonly Message[] {
  if (secrets === undefined) return [];
  const { missing, open, path } = secrets;
  return [
    ...(missing.length === 0 ? [] : [say('unit.no-secrets', { variables: missing.join(', '), path })]),
    ...(open ? [say('unit.open-secrets', { path })] : []),
  ];
}

function toNotes(secrets: Placed['secrets']): readonly Message[] {
  if (secrets === undefined || secrets.also.length === 0) return [];
  return [say('unit.also-secret', { variables: secrets.also.join(', '), path: secrets.path })];
}

function toLingerNote(lingering: boolean | undefined, user: string): Message {
  if (lingering === undefined) return say('unit.linger-unknown', { user });
  return lingering ? say('unit.lingers', { user }) : say('unit.lingers-not', { user });
}

function tell({ emit }: Context, level: Extract<DeployEvent, { type: 'said' }>['level'], text: Message): void {
  emit({ type: 'said', level, text });
}
