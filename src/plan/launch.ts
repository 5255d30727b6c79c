/** Settings → the words of `vllm serve`, spelled as the version of the catalogue spells them. */
import { toFlagWords } from '../vllm/flag-words.ts';
import type { Flag, FlagCatalogue } from '../vllm/flags.ts';
import type { Setting } from './setting.ts';

/** These come first: what is served and where is what people look for in a long line. */
const first = ['host', 'port', 'served-model-name'];

/** The model comes first of all: a flag that takes several words would swallow it. */
export function toServeArgs(
  model: string,
  settings: readonly Pick<Setting, 'name' | 'value'>[],
  catalogue?: FlagCatalogue,
): readonly string[] {
  const leading = first.flatMap((name) => settings.filter((setting) => setting.name === name));
  const others = settings.filter((setting) => !first.includes(setting.name));
  return ['serve', model, ...[...leading, ...others].flatMap(({ name, value }) => toFlagWords(name, value, findFlag(name, catalogue)))];
}

function findFlag(name: string, catalogue: FlagCatalogue | undefined): Flag | undefined {
  return catalogue && Object.hasOwn(catalogue.flags, name) ? catalogue.flags[name] : undefined;
}
