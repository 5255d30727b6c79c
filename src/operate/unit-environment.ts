/**
 * What a supervisor that systemd starts has to know of this shell. What is no secret is written into the unit; for
 * what is one there is a file of this user alone, and the unit only names it. No value of a secret is ever written.
 */

import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { toEngineEnvironment } from '../host/environment.ts';
import { ensurePrivateDirectory, readTextFile, writeFileAtomic } from '../host/files.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import type { Context } from './context.ts';

export interface UnitEnvironment {
  readonly plain: Readonly<Record<string, string>>;
  /** Undefined where nothing of it is a secret. */
  readonly file?: SecretFile;
}

export interface SecretFile {
  readonly path: string;
  /** Variables that the deployment's `env:` references name. */
  readonly variables: readonly string[];
  /** Set in this shell and secret, but nobody asked for them by name. */
  readonly also: readonly string[];
}

/** systemd sets these itself. */
const known = ['HOME', 'USER', 'LOGNAME', 'SHELL'];
/** Where our own files are. */
const ours = ['QWEN_DEPLOY_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME', 'XDG_CACHE_HOME'];

export function toUnitEnvironment(name: string, spec: Pick<LaunchSpec, 'secretEnv' | 'apiKey'>, context: Context): UnitEnvironment {
  const { env, cwd, places } = context;
  const own = ours.flatMap((variable) => (env[variable] ? [[variable, resolve(cwd, env[variable])] as const] : []));
  const kept = Object.entries({ ...toEngineEnvironment(env), ...Object.fromEntries(own) })
    .filter(([variable]) => !known.includes(variable))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const plain = Object.fromEntries(kept.filter((entry) => !isSecret(entry)));
  const also = kept.filter(isSecret).map(([variable]) => variable);
  const references = [...Object.values(spec.secretEnv), ...(spec.apiKey === undefined ? [] : [spec.apiKey])];
  const variables = [...new Set(references.filter((ref) => ref.startsWith('env:')).map((ref) => ref.slice('env:'.length)))].sort();
  if (variables.length + also.length === 0) return { plain };
  const others = also.filter((variable) => !variables.includes(variable));
  return { plain, file: { path: join(places.config, 'env', `${name}.env`), variables, also: others } };
}

/** A token, or an address with a password in it. */
function isSecret([variable, value]: readonly [string, string]): boolean {
  return variable === 'HF_TOKEN' || /\/\/[^/\s]*@/.test(value);
}

export interface SecretFileFacts {
  /** Variables that have no value in it. */
  readonly missing: readonly string[];
  /** Others than this user may read it. */
  readonly open: boolean;
}

/** Makes the file, with names and without values, where there is none, so that it has the right mode from the first moment. */
export async function ensureSecretFile({ path, variables }: SecretFile): Promise<SecretFileFacts> {
  const text = await readTextFile(path);
  if (text === undefined) {
    await ensurePrivateDirectory(join(path, '..'));
    await writeFileAtomic(path, variables.map((variable) => `${variable}=\n`).join(''));
    return { missing: variables, open: false };
  }
  const { mode } = await stat(path);
  return { missing: variables.filter((variable) => !hasValue(text, variable)), open: (mode & 0o077) !== 0 };
}

function hasValue(text: string, variable: string): boolean {
  return text.split('\n').some((line) => {
    const [name = '', ...value] = line.split('=');
    return name.trim() === variable && !/^(?:|""|'')$/.test(value.join('=').trim());
  });
}
