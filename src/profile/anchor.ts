import { join, resolve } from 'node:path';
import type { RawProfile } from './schema.ts';

export interface AnchorOptions {
  /** Directory of the file that was read; for `--set`, where the command runs. */
  readonly base: string;
  readonly home: string;
}

/** Relative paths mean the directory of the file that they stand in, so they are made absolute before anything merges. */
export function anchorPaths(raw: RawProfile, options: AnchorOptions): RawProfile {
  const { model, engine, server } = raw;
  const key = server?.['api-key'];
  return {
    ...raw,
    ...(model == null ? {} : { model: toAnchoredModel(model, options) }),
    ...(engine?.executable == null ? {} : { engine: { ...engine, executable: toAbsolute(engine.executable, options, isPathLike) } }),
    ...(key?.startsWith('file:') ? { server: { ...server, 'api-key': `file:${toAbsolute(key.slice('file:'.length), options)}` } } : {}),
  };
}

/** `model: ./checkpoint` is a directory, `model: Qwen/Qwen3-0.6B` an id; from here on a directory begins with a slash. */
function toAnchoredModel(model: NonNullable<RawProfile['model']>, options: AnchorOptions): RawProfile['model'] {
  if (typeof model === 'string') return toAbsolute(model, options, isPathLike);
  return model.path == null ? model : { ...model, path: toAbsolute(model.path, options) };
}

function isPathLike(text: string): boolean {
  return /^(\.{1,2}\/|\/|~\/)/.test(text);
}

function toAbsolute(text: string, { base, home }: AnchorOptions, when: (text: string) => boolean = () => true): string {
  if (!when(text)) return text;
  return text.startsWith('~/') ? join(home, text.slice(2)) : resolve(base, text);
}
