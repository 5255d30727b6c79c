/** What differs between two launches, setting by setting, with the names that a person uses to change them. */
import type { LaunchSpec } from './launch-spec.ts';

export interface Change {
  /** As in `--set` where there is such a setting. */
  readonly path: string;
  /** Undefined: it was not there. */
  readonly from: unknown;
  /** Undefined: it is not there any more. */
  readonly to: unknown;
}

export function toChanges(before: LaunchSpec, after: LaunchSpec): readonly Change[] {
  const old = toParts(before);
  const now = toParts(after);
  const paths = [...new Set([...old.keys(), ...now.keys()])];
  return paths
    .filter((path) => JSON.stringify(old.get(path)) !== JSON.stringify(now.get(path)))
    .map((path) => ({ path, from: old.get(path), to: now.get(path) }));
}

/** Flags that stand elsewhere in a profile than below `vllm`. */
const places: Readonly<Record<string, string>> = {
  host: 'server.host',
  port: 'server.port',
  'served-model-name': 'served-names',
  'shutdown-timeout': 'stop.drain',
  quantization: 'quantization',
  'lora-modules': 'lora',
  revision: 'model.revision',
  tokenizer: 'model.tokenizer',
};

/** What vLLM is started with, by its own names without dashes, `model` among them. Numbers are texts. */
export function toEngineSettings({ args }: Pick<LaunchSpec, 'args'>): Readonly<Record<string, unknown>> {
  const serve = args.indexOf('serve');
  return { ...Object.fromEntries(toFlags(args.slice(serve + 2))), model: args[serve + 1] };
}

function toParts(spec: LaunchSpec): ReadonlyMap<string, unknown> {
  const serve = spec.args.indexOf('serve');
  const parts = new Map<string, unknown>([
    ['engine.backend', spec.backend],
    ['engine.version', spec.engineVersion],
    ['engine.program', [spec.program, ...spec.args.slice(0, serve)].join(' ')],
    ['model', spec.args[serve + 1]],
  ]);
  for (const [name, value] of toFlags(spec.args.slice(serve + 2))) parts.set(places[name] ?? `vllm.${name}`, value);
  const blocks: readonly (readonly [string, object])[] = [
    ['engine.env', { ...spec.env, ...spec.secretEnv }],
    ['resources', spec.resources],
    ['health', spec.health],
    ['restart', spec.restart],
  ];
  for (const [block, entries] of blocks)
    for (const [key, value] of Object.entries(entries)) parts.set(`${block}.${toKebab(key, block)}`, value);
  return parts;
}

function toFlags(words: readonly string[]): ReadonlyMap<string, unknown> {
  const flags = new Map<string, string[]>();
  let current: string[] = [];
  for (const word of words) {
    const [, name, value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) {
      current.push(word);
      continue;
    }
    current = value === undefined ? [] : [value];
    flags.set(name, current);
  }
  return new Map([...flags].map(([name, values]) => toSetting(name, values)));
}

function toSetting(name: string, values: readonly string[]): readonly [string, unknown] {
  if (values.length > 1) return [name, values];
  if (values.length === 1) return [name, values[0]];
  return name.startsWith('no-') ? [name.slice(3), false] : [name, true];
}

/** Names of variables stay as they are; ours lose the unit that only the code needs. */
function toKebab(key: string, block: string): string {
  if (block === 'engine.env') return key;
  return key.replace(/(Ms|Bytes)$/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
