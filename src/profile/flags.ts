/** vLLM's own settings of a whole profile, checked by the catalogue of the version that it names. */
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import { toCompleteHistory } from '../vllm/flag-history.ts';
import { isNewer, toRelease } from '../vllm/flag-version.ts';
import { checkSettings, type FlagCatalogue, type FlagHistory, type SettingProblem, type Settings, toFlagCatalogue } from '../vllm/flags.ts';
import type { Source } from './layer.ts';
import { isMap } from './map.ts';
import type { EngineVariant, SettingValue } from './profile.ts';
import { defaultEngineVersion } from './resolve.ts';

/** Where catalogues come from: names are versions, and `changes` is the history. */
export interface FlagShelf {
  readonly list: () => Promise<readonly string[]>;
  readonly read: (name: string) => Promise<unknown>;
}

export interface CheckedFlags {
  /** Those given and those of the settings. */
  readonly findings: readonly Finding[];
  readonly catalogue?: FlagCatalogue;
}

/** Takes what was written, sound or not, parents first, and what else was found wrong with it. */
export async function checkFlags(sources: readonly Source[], before: readonly Finding[], shelf: FlagShelf): Promise<CheckedFlags> {
  const { version, variant, quantization } = toEngine(sources);
  const chosen = await readCatalogue(version, shelf);
  if (chosen.catalogue === undefined) {
    const message = say('flag.no-catalogue', { version, oldest: chosen.oldest });
    return { findings: [...before, { code: 'profile/no-catalogue', severity: 'info', path: 'engine.version', message }] };
  }
  const { catalogue } = chosen;
  const check = async (settings: Settings) => {
    const quick = checkSettings(settings, catalogue, { variant, version });
    if (!quick.some(({ code }) => code === 'profile/unknown-flag' || code === 'profile/flag-abbreviation')) return quick;
    return checkSettings(settings, catalogue, { variant, version, history: await readHistory(catalogue, shelf) });
  };
  const own = (await check(toSettings(sources))).map((problem) => toFinding(problem, ['vllm'], sources));
  const top = quantization === undefined ? [] : (await check({ quantization })).map((problem) => toFinding(problem, [], sources));
  const said: readonly Finding[] =
    catalogue.version === toRelease(version)
      ? []
      : [
          {
            code: 'profile/no-catalogue',
            severity: 'info',
            path: 'engine.version',
            message: say('flag.other-catalogue', { version, used: catalogue.version }),
          },
        ];
  return { findings: [...join(before, [...own, ...top]), ...said], catalogue };
}

export type ChosenCatalogue = { readonly catalogue: FlagCatalogue } | { readonly catalogue?: never; readonly oldest: string };

/** The one of the version, else the newest that is older. */
export async function readCatalogue(version: string, shelf: FlagShelf): Promise<ChosenCatalogue> {
  const catalogue = await readNearestCatalogue(version, shelf);
  return catalogue ? { catalogue } : { oldest: (await listVersions(shelf))[0] ?? '' };
}

/** `before`: not that of the version itself. */
export async function readNearestCatalogue(
  version: string,
  shelf: FlagShelf,
  { before } = { before: false },
): Promise<FlagCatalogue | undefined> {
  const release = toRelease(version);
  const own = before ? undefined : await shelf.read(release);
  if (own !== undefined) return toFlagCatalogue(own);
  for (const older of (await listVersions(shelf)).filter((one) => isNewer(release, one)).toReversed()) {
    const found = await shelf.read(older);
    // One that is listed and damaged is as good as none.
    if (found !== undefined) return toFlagCatalogue(found);
  }
  return undefined;
}

/** Also of a version that this package does not know yet: what its catalogue shows against the one before it. */
export async function readHistory(catalogue: FlagCatalogue, shelf: FlagShelf): Promise<FlagHistory> {
  const history = (await shelf.read('changes')) as FlagHistory;
  if (history.versions.includes(catalogue.version)) return history;
  const older = await readNearestCatalogue(catalogue.version, shelf, { before: true });
  return older ? toCompleteHistory(history, catalogue, older) : history;
}

async function listVersions(shelf: FlagShelf): Promise<readonly string[]> {
  return (await shelf.list()).filter((name) => /^\d/.test(name)).sort((a, b) => (isNewer(a, b) ? 1 : -1));
}

/** A finding of the layers names the same key twice over when it is about its spelling: the catalogue knows more. */
function join(before: readonly Finding[], own: readonly Finding[]): readonly Finding[] {
  const better = (finding: Finding) =>
    finding.code === 'profile/spelling' && own.some(({ path, severity }) => path === finding.path && severity === 'error');
  const kept = before.filter((finding) => !better(finding));
  const all = [...kept, ...own.filter(({ path }) => !kept.some((finding) => finding.path === path))];
  // File after file as they were first named, and in each from top to bottom.
  const files = [...new Set(all.map(({ file }) => file))];
  const order = ({ file, line = 0, column = 0 }: Finding) => [files.indexOf(file), line, column];
  return all.toSorted((a, b) => compare(order(a), order(b)));
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.map((part, index) => part - (b[index] ?? 0)).find((step) => step !== 0) ?? 0;
}

function toFinding({ by: _, at, path, fix, ...problem }: SettingProblem, block: readonly string[], sources: readonly Source[]): Finding {
  const full = [...block, ...path];
  // A setting of ours that vLLM has too stands at the top, and so does its cure.
  const place = (key: string) => (block.length === 0 ? key.replace(/^vllm\./, '') : key);
  const cure = fix && { fix: Object.fromEntries(Object.entries(fix).map(([key, value]) => [place(key), value])) };
  return { ...problem, ...cure, path: full.join('.'), ...locate(full, at, sources) };
}

/** In the last file that wrote it; of a field that stands nowhere, where the nearest thing around it stands. */
function locate(path: readonly string[], at: 'key' | 'value', sources: readonly Source[]): Pick<Finding, 'file' | 'line' | 'column'> {
  for (let length = path.length; length > 0; length -= 1) {
    const steps = path.slice(0, length);
    const source = sources.findLast(({ value }) => isThere(value, steps));
    if (source) return source.locate(steps, at);
  }
  return {};
}

function isThere(value: unknown, [step, ...rest]: readonly string[]): boolean {
  if (step === undefined) return value !== null && value !== undefined;
  if (Array.isArray(value)) return isThere(value[Number(step)], rest);
  return isMap(value) && Object.hasOwn(value, step) && isThere(value[step], rest);
}

function toSettings(sources: readonly Source[]): Settings {
  return sources.reduce<Settings>((settings, { value }) => (isMap(value.vllm) ? merge(settings, value.vllm) : settings), {});
}

/** Maps merge, null takes away, all else replaces: as layers do. */
function merge(base: Settings, over: Readonly<Record<string, unknown>>): Settings {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key);
    if (value === null || value === undefined) merged.delete(key);
    else merged.set(key, isMap(value) ? merge(isMap(below) ? (below as Settings) : {}, value) : (value as SettingValue));
  }
  return Object.fromEntries(merged);
}

function toEngine(sources: readonly Source[]): {
  readonly version: string;
  readonly variant: EngineVariant;
  readonly quantization: string | undefined;
} {
  const last = (...path: readonly string[]) =>
    sources
      .map(({ value }) => path.reduce<unknown>((here, step) => (isMap(here) ? here[step] : undefined), value))
      .findLast((one) => one != null);
  const version = last('engine', 'version');
  const variant = last('engine', 'variant') ?? (last('resources', 'gpus') === 'none' ? 'cpu' : 'gpu');
  const quantization = last('quantization');
  return {
    version: typeof version === 'string' ? version : defaultEngineVersion,
    variant: variant === 'cpu' ? 'cpu' : 'gpu',
    quantization: typeof quantization === 'string' && quantization !== 'auto' ? quantization : undefined,
  };
}
