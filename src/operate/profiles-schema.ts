/** The profile as JSON Schema, for one version of vLLM. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DeployError } from '../core/error.ts';
import { type MessageId, say } from '../core/message.ts';
import { errnoOf } from '../host/files.ts';
import { listPackageFiles } from '../host/package-files.ts';
import { readCatalogue } from '../profile/flags.ts';
import { toProfileSchema } from '../profile/json-schema.ts';
import { defaultEngineVersion } from '../profile/resolve.ts';
import type { Schema } from '../profile/schema-values.ts';
import { createFlagShelf } from '../profile/shelf.ts';
import { messages } from '../text/en/index.ts';
import { toText } from '../text/render.ts';
import { toWant } from '../vllm/flag-values.ts';
import type { Flag, FlagCatalogue } from '../vllm/flags.ts';
import type { Context } from './context.ts';

export interface ProfileSchema {
  readonly kind: 'ProfileSchema';
  readonly version: 1;
  /** Whose settings the block `vllm:` has. */
  readonly engineVersion: string;
  readonly schema: Schema;
}

/** Of the version's catalogue, or of the nearest older one, which is said. Throws `explain/no-catalogue`. */
export async function readProfileSchema(
  version: string | undefined,
  { emit, places }: Pick<Context, 'emit' | 'places'>,
): Promise<ProfileSchema> {
  const wanted = version ?? defaultEngineVersion;
  const chosen = await readCatalogue(wanted, createFlagShelf(places));
  if (chosen.catalogue === undefined) throw DeployError.of('explain/no-catalogue', { version: wanted, oldest: chosen.oldest });
  const { catalogue } = chosen;
  const used = catalogue.version;
  if (![wanted, `${wanted}.0`].some((one) => one.startsWith(used)))
    emit({ type: 'said', level: 'info', text: say('flag.other-catalogue', { version: wanted, used }) });
  const schema = toProfileSchema({
    catalogue,
    title: toText(say('setting.title', { version: used })),
    describe: (path) => toWords(path === '' ? 'setting.about' : `setting.${path}`),
    describeFlag: (name, flag) => toFlagText(name, flag, catalogue),
    parents: await listParents(),
  });
  return { kind: 'ProfileSchema', version: 1, engineVersion: used, schema };
}

/** Replaces what is there: it was generated too. Resolves to the path. Throws `host/not-written`. */
export async function writeProfileSchema({ schema }: ProfileSchema, file: string, { cwd }: Pick<Context, 'cwd'>): Promise<string> {
  const path = resolve(cwd, file);
  try {
    await writeFile(path, renderSchema(schema));
  } catch (cause) {
    throw DeployError.of('host/not-written', { file: path, problem: errnoOf(cause) ?? String(cause) }, { cause });
  }
  return path;
}

/** One setting per line: small enough to load, and a difference between two versions can be read. */
export function renderSchema(schema: Schema): string {
  return `${renderNode(schema, 0)}\n`;
}

const deepestLines = 4;

function renderNode(value: unknown, depth: number): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth >= deepestLines) return JSON.stringify(value);
  const indent = '  '.repeat(depth + 1);
  const lines = Object.entries(value).map(([key, inner]) => `${indent}${JSON.stringify(key)}: ${renderNode(inner, depth + 1)}`);
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${'  '.repeat(depth)}}`;
}

function toWords(id: string): string | undefined {
  const isKnown = (one: string): one is MessageId => Object.hasOwn(messages, one);
  return isKnown(id) ? toText({ id, params: {} }) : undefined;
}

/** Our advice first, then the facts of the catalogue. */
function toFlagText(name: string, flag: Flag, { version, groups }: FlagCatalogue): string {
  const facts = say('setting.flag', {
    kind: toWant(flag),
    default: toDefault(flag),
    deprecated: toDeprecated(flag),
    group: groups[flag.group] ?? '',
    version,
  });
  const advice = toWords(`advice.${name}`);
  return [...(advice === undefined ? [] : [advice]), toText(facts)].join('\n\n');
}

function toDefault({ default: value, depends }: Flag) {
  if (value != null) return say('setting.flag.default', { value: JSON.stringify(value) });
  return depends ? say('setting.flag.depends') : say('setting.flag.unset');
}

function toDeprecated({ deprecated, removal }: Flag) {
  if (!deprecated) return '';
  return removal === undefined ? say('setting.flag.deprecated') : say('setting.flag.deprecated-until', { removal });
}

async function listParents(): Promise<readonly string[]> {
  const [base, names] = await Promise.all([listPackageFiles('profiles', 'base'), listPackageFiles('profiles')]);
  const stems = (files: readonly string[]) => files.filter((file) => file.endsWith('.yaml')).map((file) => file.replace(/\.yaml$/, ''));
  return [...stems(base).map((stem) => `base/${stem}`), ...stems(names)].toSorted();
}
