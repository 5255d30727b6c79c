/** The catalogues and the history that come with the package. */
import { readdirSync, readFileSync } from 'node:fs';
import { checkSettings, type FlagCatalogue, type FlagHistory, type Settings, toFlagCatalogue } from '../../src/vllm/flags.ts';

export const flagsDirectory = new URL('../../data/flags/', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(`${name}.json`, flagsDirectory), 'utf8'));

export const history: FlagHistory = read('changes');

/** Oldest first. */
export const versions: readonly string[] = readdirSync(flagsDirectory)
  .map((name) => name.replace('.json', ''))
  .filter((name) => name !== 'changes');

const catalogues = new Map(versions.map((version) => [version, toFlagCatalogue(read(version))]));

export function toCatalogue(version: string): FlagCatalogue {
  return catalogues.get(version) ?? toFlagCatalogue(undefined);
}

export function check(settings: Settings, version = '0.32.0', variant: 'cpu' | 'gpu' = 'gpu') {
  return checkSettings(settings, toCatalogue(version), { variant, history });
}
