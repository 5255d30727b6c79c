/**
 * Where packages come from on this machine: what the person told pip (files and PIP_* variables) and uv (UV_* and
 * uv.toml). uv does not read pip's configuration, so a machine that is set up for pip alone (a mirror, a proxy, a
 * directory of wheels) would fail with uv; what one of the two was told is passed on to the other where that one was
 * told nothing. It goes by environment variables: addresses may hold passwords, and argv is there for all to see.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { readTextFile } from '../host/files.ts';

export interface PackageSources {
  readonly uv: SourceOptions;
  readonly pip: SourceOptions;
  /** For people, without passwords. */
  readonly names: readonly string[];
}

export interface SourceOptions {
  readonly env: Readonly<Record<string, string>>;
  /** What has no variable: uv's `--no-index`. */
  readonly args: readonly string[];
}

/** pip's settings by its own names (`index-url`), each value as written; lists are split by white space. */
export type PipSettings = Readonly<Record<string, string>>;

export async function readSources(env: NodeJS.ProcessEnv): Promise<PackageSources> {
  const pipTexts = await Promise.all(toPipFiles(env).map(readTextFile));
  const uvTexts = await Promise.all(toUvFiles(env).map(readTextFile));
  const settings = { ...Object.assign({}, ...pipTexts.map((text) => parsePipConfig(text ?? ''))), ...toPipVariables(env) };
  return toSources(settings, env, {
    uvHasSources: uvTexts.some((text) => text !== undefined && uvSourceKeys.test(text)),
    isThere: existsSync,
  });
}

const uvSourceKeys = /^\s*(\[\[(tool\.uv\.)?index\]\]|(index|default-index|index-url|extra-index-url|find-links|no-index)\s*=)/m;

export interface SourceFacts {
  /** uv.toml names indexes: variables of ours would override the person's own choice for uv. */
  readonly uvHasSources: boolean;
  /** uv refuses a directory of wheels that is missing; pip only warns. */
  readonly isThere: (path: string) => boolean;
}

export function toSources(pip: PipSettings, env: NodeJS.ProcessEnv, facts: SourceFacts): PackageSources {
  const list = (key: string) => (pip[key] ?? '').split(/\s+/).filter(Boolean);
  const links = list('find-links').filter((link) => /^\w+:\/\//.test(link) || facts.isThere(link));
  const noIndex = isOn(pip['no-index']);
  const own = toUvIndexes(env);
  return {
    uv: {
      env: { ...(facts.uvHasSources ? {} : toUvPlaces(pip, env, links)), ...toUvTransport(pip, env) },
      args: noIndex ? ['--no-index'] : [],
    },
    pip: { env: toPipPlaces(pip, own), args: [] },
    names: [
      ...(noIndex ? [] : [own.index ?? pip['index-url'] ?? 'PyPI', ...(own.extra.length > 0 ? own.extra : list('extra-index-url'))]),
      ...(own.links.length > 0 ? own.links : links),
    ].map(hidePasswords),
  };
}

/** `https://user:secret@host/` → `https://***@host/`, wherever it stands in a text. */
export function hidePasswords(text: string): string {
  return text.replace(/(\w+:\/\/)[^/\s@]+@/g, '$1***@');
}

/** The `[global]` and `[install]` sections of a pip.conf; what is said for `install` wins, as with pip. */
export function parsePipConfig(text: string): PipSettings {
  const sections: Record<string, Record<string, string>> = { global: {}, install: {} };
  let values: Record<string, string> = {};
  let key = '';
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const header = /^\[([^\]]+)\]/.exec(line)?.[1];
    const pair = /^([^\s=:][^=:]*?)\s*[=:]\s*(.*)$/.exec(line);
    if (header !== undefined) {
      values = sections[header.trim().toLowerCase()] ?? {};
      key = '';
    } else if (/^\s/.test(line) && key) values[key] = `${values[key] ?? ''} ${line.trim()}`.trim();
    else if (pair?.[1] !== undefined) {
      key = toPipKey(pair[1]);
      values[key] = (pair[2] ?? '').trim();
    }
  }
  return { ...sections.global, ...sections.install };
}

function toPipKey(name: string): string {
  return name.trim().toLowerCase().replaceAll('_', '-');
}

/** In the order in which pip reads them, the last one wins. `PIP_CONFIG_FILE=/dev/null` switches all files off. */
function toPipFiles(env: NodeJS.ProcessEnv): readonly string[] {
  if (env.PIP_CONFIG_FILE === '/dev/null') return [];
  const home = env.HOME || homedir();
  const shared = (env.XDG_CONFIG_DIRS || '/etc/xdg').split(delimiter).filter(Boolean);
  return [
    ...shared.map((directory) => join(directory, 'pip', 'pip.conf')),
    '/etc/pip.conf',
    join(home, '.pip', 'pip.conf'),
    join(env.XDG_CONFIG_HOME || join(home, '.config'), 'pip', 'pip.conf'),
    ...(env.VIRTUAL_ENV ? [join(env.VIRTUAL_ENV, 'pip.conf')] : []),
    ...(env.PIP_CONFIG_FILE ? [env.PIP_CONFIG_FILE] : []),
  ];
}

function toUvFiles(env: NodeJS.ProcessEnv): readonly string[] {
  if (env.UV_CONFIG_FILE) return [env.UV_CONFIG_FILE];
  return [join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'uv', 'uv.toml'), '/etc/uv/uv.toml'];
}

function toPipVariables(env: NodeJS.ProcessEnv): PipSettings {
  const set = Object.entries(env).filter(([name, value]) => name.startsWith('PIP_') && value);
  return Object.fromEntries(set.map(([name, value]) => [toPipKey(name.slice('PIP_'.length)), value ?? '']));
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && /^(1|true|yes|on|y|t)$/i.test(value.trim());
}

/** Indexes and directories of wheels, for uv; each only where uv was not told one itself. */
function toUvPlaces(pip: PipSettings, env: NodeJS.ProcessEnv, links: readonly string[]): Record<string, string> {
  const told: Record<string, string> = {};
  const extra = pip['extra-index-url']?.split(/\s+/).filter(Boolean).join(' ');
  if (pip['index-url'] && !env.UV_DEFAULT_INDEX && !env.UV_INDEX_URL) told.UV_DEFAULT_INDEX = pip['index-url'];
  if (extra && !env.UV_INDEX && !env.UV_EXTRA_INDEX_URL) {
    told.UV_INDEX = extra;
    // pip takes the best version of all indexes; uv by default only looks at the first that has the name
    if (!env.UV_INDEX_STRATEGY) told.UV_INDEX_STRATEGY = 'unsafe-best-match';
  }
  if (links.length > 0 && !env.UV_FIND_LINKS) told.UV_FIND_LINKS = links.join(',');
  return told;
}

function toUvTransport(pip: PipSettings, env: NodeJS.ProcessEnv): Record<string, string> {
  const told: Record<string, string> = {};
  if (pip['trusted-host'] && !env.UV_INSECURE_HOST) told.UV_INSECURE_HOST = pip['trusted-host'].split(/\s+/).join(' ');
  if (pip.cert && !env.SSL_CERT_FILE) told.SSL_CERT_FILE = pip.cert;
  if (pip['client-cert'] && !env.SSL_CLIENT_CERT) told.SSL_CLIENT_CERT = pip['client-cert'];
  const proxied = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'].some((name) => env[name]);
  if (pip.proxy && !proxied) {
    told.HTTPS_PROXY = pip.proxy;
    told.HTTP_PROXY = pip.proxy;
  }
  return told;
}

interface UvIndexes {
  readonly index: string | undefined;
  readonly extra: readonly string[];
  readonly links: readonly string[];
}

/** uv allows a name before an address: `mirror=https://…`. */
function toUvIndexes(env: NodeJS.ProcessEnv): UvIndexes {
  const bare = (text: string) => text.replace(/^[\w.-]+=(?=\w+:)/, '');
  return {
    index: env.UV_DEFAULT_INDEX || env.UV_INDEX_URL ? bare(env.UV_DEFAULT_INDEX || env.UV_INDEX_URL || '') : undefined,
    extra: (env.UV_INDEX || env.UV_EXTRA_INDEX_URL || '').split(/\s+/).filter(Boolean).map(bare),
    links: (env.UV_FIND_LINKS || '').split(/[\s,]+/).filter(Boolean),
  };
}

function toPipPlaces(pip: PipSettings, uv: UvIndexes): Record<string, string> {
  const told: Record<string, string> = {};
  if (uv.index && !pip['index-url']) told.PIP_INDEX_URL = uv.index;
  if (uv.extra.length > 0 && !pip['extra-index-url']) told.PIP_EXTRA_INDEX_URL = uv.extra.join(' ');
  if (uv.links.length > 0 && !pip['find-links']) told.PIP_FIND_LINKS = uv.links.join(' ');
  return told;
}
