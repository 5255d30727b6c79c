/** A new profile of the person, with comments, and the JSON Schema that their editor checks it by. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { toDeploymentPaths } from '../control/directory.ts';
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { errnoOf, readTextFile } from '../host/files.ts';
import { toPackagePath } from '../host/package-files.ts';
import { checkProfile } from '../profile/load.ts';
import type { Profile, SettingValue } from '../profile/profile.ts';
import { defaultEngineVersion } from '../profile/resolve.ts';
import { parseSets } from '../profile/set.ts';
import { renderSkeleton } from '../profile/skeleton.ts';
import { toText } from '../text/render.ts';
import type { Context } from './context.ts';
import { readProfileSchema, writeProfileSchema } from './profiles-schema.ts';

export interface InitAsked {
  readonly name: string;
  /** The profile to build on. */
  readonly from: string;
  /** Instead of `./profiles/NAME.yaml`. */
  readonly file?: string;
  /** Path as in `--set` → value as it would stand in YAML. */
  readonly settings: Readonly<Record<string, string>>;
  /** Writes over what is there. */
  readonly yes: boolean;
}

export interface ProfileInit {
  readonly kind: 'ProfileInit';
  readonly version: 1;
  readonly name: string;
  readonly file: string;
  readonly schema: string;
  /** What other commands call it by. */
  readonly ref: string;
}

/** What serves where nothing else is named: the smallest of the family. */
export const usualModel = 'Qwen/Qwen3-0.6B';

/** It will be the name of the deployment, unless that gets another one. Throws `deployment/bad-name`. */
export function checkNewName(name: string, { places }: Pick<Context, 'places'>): void {
  toDeploymentPaths(places, name);
}

/** What a profile is that adds nothing to its parent, as far as questions are about it. Throws what checking it throws. */
export async function readParent(
  ref: string,
  { places, cwd }: Pick<Context, 'places' | 'cwd'>,
): Promise<{ readonly model?: string; readonly profile: Profile }> {
  const own = await checkProfile(ref, { places, cwd, sets: [] });
  if (own.profile) return { model: own.profile.model.id, profile: own.profile };
  // A parent of others need not say what is served.
  const { profile, source, findings } = await checkProfile(ref, { places, cwd, sets: [`model=${usualModel}`] });
  if (profile) return { profile };
  throw DeployError.of('profile/invalid', { source, count: findings.length }, { findings });
}

/** Throws `profile/invalid` with all that is wrong with the settings, before anything is written. */
export async function initProfile(asked: InitAsked, context: Context): Promise<ProfileInit> {
  const { name, from } = asked;
  const file = asked.file === undefined ? join(context.cwd, 'profiles', `${name}.yaml`) : resolve(context.cwd, asked.file);
  const { settings, engineVersion } = await checkSettings(asked, context);
  await confirmOverwrite(file, asked, context);
  const ref = asked.file === undefined ? name : asked.file;
  const skeleton = (await readTextFile(toPackagePath('templates', 'profile.yaml'))) ?? '';
  const given = new Map<string, SettingValue>([['extends', from], ...settings]);
  const text = renderSkeleton(skeleton, { name: ref, path: ref, settings: toMoved(given, { from: context.cwd, to: dirname(file) }) });
  await writeProfile(file, text);
  await sayNotes(ref, context);
  const schema = await writeSchema(join(dirname(file), 'profile.schema.json'), engineVersion, context);
  return { kind: 'ProfileInit', version: 1, name: basename(file, extname(file)), file, schema, ref };
}

async function checkSettings({ from, settings }: InitAsked, { places, cwd }: Context) {
  const sets = Object.entries(settings).map(([path, value]) => `${path}=${value}`);
  const { source, findings, profile } = await checkProfile(from, { places, cwd, sets });
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (profile === undefined) throw DeployError.of('profile/invalid', { source, count: errors.length }, { findings: errors });
  const description = toText(say('profiles.init.description', { model: profile.model.id }));
  const raw = parseSets(sets).source.value;
  const values = Object.keys(settings).map((path) => [path, readAt(raw, path.split('.'))] as const);
  return { settings: [['description', description], ...values] as const, engineVersion: profile.engine.version };
}

function readAt(value: unknown, path: readonly string[]): SettingValue {
  return path.reduce<unknown>((here, step) => (here as Readonly<Record<string, unknown>>)[step], value) as SettingValue;
}

/** What was typed is relative to where the command runs; in the profile it is relative to the file. */
function toMoved(
  settings: ReadonlyMap<string, SettingValue>,
  { from, to }: { readonly from: string; readonly to: string },
): ReadonlyMap<string, SettingValue> {
  const toPath = (text: string) => relative(to, resolve(from, text)).replace(/^(?!\.\.?\/)/, './');
  const isRelative: Readonly<Record<string, RegExp>> = { extends: /^(?![/~]).*\.ya?ml$|^\.{1,2}\//, model: /^\.{1,2}\// };
  const toMovedValue = (path: string, value: SettingValue) =>
    typeof value === 'string' && isRelative[path]?.test(value) ? toPath(value) : value;
  return new Map([...settings].map(([path, value]) => [path, toMovedValue(path, value)]));
}

async function confirmOverwrite(file: string, { yes }: InitAsked, { confirm }: Context): Promise<void> {
  if (yes || (await readTextFile(file)) === undefined) return;
  if (!(await confirm(say('profiles.init.overwrite', { file }), '--yes'))) throw DeployError.of('confirm/declined', { option: '--yes' });
}

async function writeProfile(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  } catch (cause) {
    throw DeployError.of('host/not-written', { file, problem: errnoOf(cause) ?? String(cause) }, { cause });
  }
}

/** What its check says of it without being an error: that it hides another one, for example. */
async function sayNotes(ref: string, { places, cwd, emit }: Context): Promise<void> {
  const { findings } = await checkProfile(ref, { places, cwd, sets: [] });
  for (const { severity, message } of findings) emit({ type: 'said', level: severity === 'warning' ? 'warning' : 'info', text: message });
}

/** Beside the profile, where every editor finds it, however this program was installed. One that is not ours stays. */
async function writeSchema(file: string, engineVersion: string, context: Context): Promise<string> {
  const there = await readTextFile(file);
  const [ours = ''] = toText(say('setting.title', { version: defaultEngineVersion })).split(defaultEngineVersion);
  if (there !== undefined && !there.includes(ours)) return file;
  return writeProfileSchema(await readProfileSchema(engineVersion, context), file, context);
}
