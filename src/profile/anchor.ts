import { join, resolve } from 'node:path';
import { isMap } from './map.ts';
import { parseShape, type RawProfile } from './schema.ts';
import { isReference, isSecretName } from './secrets.ts';

export interface AnchorOptions {
  /** Directory of the file that was read; for `--set`, where the command runs. */
  readonly base: string;
  readonly home: string;
}

/** Relative paths mean the directory of the file that they stand in, so they are made absolute before anything merges. */
export function anchorPaths(raw: RawProfile, options: AnchorOptions): RawProfile {
  const { model, engine, server, notify, adapt, fallback, lora, vllm } = raw;
  const key = server?.['api-key'];
  return {
    ...raw,
    ...(model == null ? {} : { model: toAnchoredModel(model, options) }),
    ...(engine == null ? {} : { engine: toAnchoredEngine(engine, options) }),
    ...(notify == null ? {} : { notify: notify.map((one) => toAnchoredNotification(one, options)) }),
    ...(adapt?.steps == null ? {} : { adapt: { ...adapt, steps: adapt.steps.map((step) => toProfilePathOrName(step, options)) } }),
    ...(fallback == null ? {} : { fallback: fallback.map((step) => toAnchoredStep(step, options)) }),
    ...(lora == null ? {} : { lora: toAnchoredLora(lora, options) }),
    ...(vllm == null ? {} : { vllm: toAnchoredSettings(vllm, options) }),
    ...(key == null ? {} : { server: { ...server, 'api-key': toAnchoredSecret(key, options) } }),
  };
}

/** `model: ./checkpoint` is a directory, `model: Qwen/Qwen3-0.6B` an id; from here on a directory begins with a slash. */
function toAnchoredModel(model: NonNullable<RawProfile['model']>, options: AnchorOptions): RawProfile['model'] {
  if (typeof model === 'string') return toPathOrName(model, options);
  const { path, tokenizer } = model;
  return {
    ...model,
    ...(path == null ? {} : { path: toAbsolute(path, options) }),
    ...(tokenizer == null ? {} : { tokenizer: toPathOrName(tokenizer, options) }),
  };
}

function toAnchoredEngine(engine: NonNullable<RawProfile['engine']>, options: AnchorOptions): RawProfile['engine'] {
  const { executable, env } = engine;
  const variables = Object.entries(env ?? {}).map(([name, value]) => {
    const isSecret = isSecretName(name) && typeof value === 'string';
    return [name, isSecret ? toAnchoredSecret(value, options) : value] as const;
  });
  return {
    ...engine,
    ...(executable == null ? {} : { executable: toPathOrName(executable, options) }),
    ...(env == null ? {} : { env: Object.fromEntries(variables) }),
  };
}

/** The supervisor lives in another directory, so its program and files are meant from here too. */
function toAnchoredNotification(one: NonNullable<RawProfile['notify']>[number], options: AnchorOptions): typeof one {
  const { command, webhook, headers } = one;
  const [program = '', ...words] = command ?? [];
  const values = Object.entries(headers ?? {}).map(([name, value]) => [name, toAnchoredSecret(value, options)] as const);
  return {
    ...one,
    ...(command == null ? {} : { command: [toPathOrName(program, options), ...words] }),
    ...(webhook == null ? {} : { webhook: toAnchoredSecret(webhook, options) }),
    ...(headers == null ? {} : { headers: Object.fromEntries(values) }),
  };
}

/** A step has the shape of a profile, or is refused later for having none. */
function toAnchoredStep({ profile, ...step }: Readonly<Record<string, unknown>>, options: AnchorOptions): Record<string, unknown> {
  const shape = parseShape(step);
  const anchored: Readonly<Record<string, unknown>> = 'raw' in shape ? anchorPaths(shape.raw, options) : step;
  // In the order in which they were written: people find a step by it.
  const settings = Object.keys(step).map((key) => [key, anchored[key]] as const);
  return {
    ...Object.fromEntries(settings),
    ...(profile === undefined ? {} : { profile: typeof profile === 'string' ? toProfilePathOrName(profile, options) : profile }),
  };
}

/** As for models: `./adapter` is a directory, `owner/adapter` an id. */
function toAnchoredLora(lora: NonNullable<RawProfile['lora']>, options: AnchorOptions): RawProfile['lora'] {
  const entries = Object.entries(lora).map(([name, adapter]) => {
    if (typeof adapter === 'string') return [name, toPathOrName(adapter, options)] as const;
    return [name, adapter == null ? adapter : { ...adapter, path: toPathOrName(adapter.path, options) }] as const;
  });
  return Object.fromEntries(entries);
}

/** vLLM runs in another directory: `chat-template: ./qwen3.jinja` would mean nothing there. */
function toAnchoredSettings<T>(value: T, options: AnchorOptions): T {
  if (typeof value === 'string') return (value.startsWith('/') ? value : toPathOrName(value, options)) as T;
  if (Array.isArray(value)) return value.map((item) => toAnchoredSettings(item, options)) as T;
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toAnchoredSettings(inner, options)])) as T;
}

function toAnchoredSecret(text: string, options: AnchorOptions): string {
  return isReference(text) && text.startsWith('file:') ? `file:${toAbsolute(text.slice('file:'.length), options)}` : text;
}

/** A path begins with `./`, `../`, `/` or `~/`. */
function toPathOrName(text: string, options: AnchorOptions): string {
  return /^(\.{1,2}\/|\/|~\/)/.test(text) ? toAbsolute(text, options) : text;
}

/** As after `--profile`: also a path is what ends as profiles do. */
function toProfilePathOrName(text: string, options: AnchorOptions): string {
  return /\.ya?ml$/.test(text) ? toAbsolute(text, options) : toPathOrName(text, options);
}

function toAbsolute(text: string, { base, home }: AnchorOptions): string {
  return text.startsWith('~/') ? join(home, text.slice(2)) : resolve(base, text);
}
