/** Changes settings in the text of a profile and leaves everything else, comments too, as it is written. */
import { parseDocument } from 'yaml';
import { DeployError } from '../core/error.ts';
import { parseKeyPath, readAt } from './layer.ts';

export interface SettingChange {
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

export interface EditedProfile {
  readonly text: string;
  /** Those of `set` that say something else than the text did. */
  readonly changes: readonly SettingChange[];
}

/** `set`: paths as in `--set`; null takes a value away. Throws `profile/unreadable` for what cannot be changed piece by piece. */
export function toEditedProfile(text: string, set: Readonly<Record<string, unknown>>, file: string): EditedProfile {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'silent' });
  const written: unknown = document.errors.length === 0 ? document.toJS({ maxAliasCount: 100 }) : undefined;
  const changes = Object.entries(set)
    .map(([path, to]) => ({ path, steps: parseKeyPath(path), to }))
    .map(({ path, steps, to }) => ({ path, steps, from: readAt(written, steps), to }))
    .filter(({ from, to }) => JSON.stringify(from ?? null) !== JSON.stringify(to ?? null));
  try {
    for (const { steps, to } of changes) {
      if (to === null) document.deleteIn(steps);
      else document.setIn(steps, to);
    }
    // As most of it is written already: `[a, b]` or `[ a, b ]`, lists deeper than their key or not.
    const style = { lineWidth: 0, flowCollectionPadding: /[{[] \S/.test(text), indentSeq: !/^( *)\S.*:\n\1- /m.test(text) };
    const next = changes.length === 0 ? text : document.toString(style);
    return { text: next, changes: changes.map(({ path, from, to }) => ({ path, from, to })) };
  } catch (error) {
    // An alias or a text stands where a map would have to be.
    const problem = error instanceof Error ? error.message : String(error);
    throw DeployError.of('profile/unreadable', { file, problem }, { cause: error });
  }
}
