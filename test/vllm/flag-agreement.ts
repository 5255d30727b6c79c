/** Asks the real parser of an installed vLLM about settings, and compares its answer with ours. Starts no engine. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { toServeArgs } from '../../src/plan/launch.ts';
import { checkSettings, type FlagCatalogue, type FlagHistory, type Settings, toFlagCatalogue } from '../../src/vllm/flags.ts';

export interface Answer {
  readonly accepted: boolean;
  readonly said?: string;
}

export interface RealParser {
  readonly version: string;
  readonly ask: (settings: readonly Settings[], catalogue: FlagCatalogue) => Promise<readonly Answer[]>;
  readonly close: () => void;
}

export interface Disagreement {
  readonly settings: Settings;
  readonly ours: readonly string[];
  readonly said: string;
}

const root = process.env.QWEN_DEPLOY_ROOT ?? new URL('../../', import.meta.url).pathname;

/**
 * What vLLM refuses while it parses, and the catalogue cannot know: classes of JSON settings that compare their fields
 * with each other, or look into a field that is a free map or text.
 */
export const classRules: Readonly<Record<string, string>> = {
  'attention-config': 'backend_per_kind has kinds and backends of its own',
  'compilation-config': 'custom_ops must be +name or -name, inductor_passes must be importable',
  'ec-manager-config': 'manager_config depends on the manager',
  'eplb-config': 'torch_nccl needs use_async: false',
  'kernel-config': 'linear_backend_per_quant has names of its own',
  'pooler-config': 'logit_sigma must not be 0',
  'profiler-config': 'each field needs its profiler; the activities have names',
  'quantization-config': 'targets are quantization specs',
  'structured-outputs-config': 'the switches need a backend that has them',
};

/** Those that no rule of a class explains: there must be none. */
export function toUnexplained(wrong: readonly Disagreement[]): readonly Disagreement[] {
  return wrong.filter(({ settings }) => !Object.keys(settings).some((key) => Object.hasOwn(classRules, key.split('.')[0] ?? '')));
}

export function readFlagData(version: string): { readonly catalogue: FlagCatalogue; readonly history: FlagHistory } {
  const read = (name: string) => JSON.parse(readFileSync(`${root}/data/flags/${name}.json`, 'utf8'));
  return { catalogue: toFlagCatalogue(read(version)), history: read('changes') };
}

export interface RealPython {
  readonly python: string;
  /** A directory with another vLLM than that of the environment (scripts/flags/fetch-parser.mjs). */
  readonly modules?: string;
}

/** Imports vLLM, which takes seconds; then each answer takes milliseconds. */
export async function openRealParser({ python, modules }: RealPython): Promise<RealParser> {
  const env = modules === undefined ? process.env : { ...process.env, PYTHONPATH: modules };
  const child = spawn(python, [`${root}/scripts/flags/answer.py`], { stdio: ['pipe', 'pipe', 'ignore'], env });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`${python} ended with ${code}`)));
  });
  failed.catch(() => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await Promise.race([lines.next(), failed])).value);
  const { version } = await next();
  return {
    version,
    async ask(settings, catalogue) {
      const words = settings.map((one) =>
        toServeArgs(
          'm',
          Object.entries(one).map(([name, value]) => ({ name, value })),
          catalogue,
        ),
      );
      child.stdin.write(words.map((line) => `${JSON.stringify(line)}\n`).join(''));
      const answers: Answer[] = [];
      for (const _ of settings) answers.push(await next());
      return answers;
    },
    close: () => void child.stdin.end(),
  };
}

/** Valid: we find no error and the parser takes it. Invalid: we find one that the parser must find, and it does. */
export async function findDisagreements(
  parser: RealParser,
  data: ReturnType<typeof readFlagData>,
  cases: { readonly valid: readonly Settings[]; readonly invalid: readonly Settings[] },
): Promise<readonly Disagreement[]> {
  const compare = async (settings: readonly Settings[], isWanted: (accepted: boolean, errors: number) => boolean) => {
    const answers = await parser.ask(settings, data.catalogue);
    return settings.flatMap((one, index): readonly Disagreement[] => {
      const problems = checkSettings(one, data.catalogue, { variant: 'cpu', history: data.history });
      const errors = problems.filter(({ severity }) => severity === 'error');
      const { accepted, said = '' } = answers[index] ?? { accepted: false };
      const ours = errors.map(({ code, by, path }) => `${code} (${by}) ${path.join('.')}`);
      return isWanted(accepted, errors.length) ? [] : [{ settings: one, ours, said: accepted ? 'accepted' : said }];
    });
  };
  return [
    ...(await compare(cases.valid, (accepted, errors) => accepted && errors === 0)),
    ...(await compare(cases.invalid, (accepted, errors) => !accepted && errors > 0)),
  ];
}
