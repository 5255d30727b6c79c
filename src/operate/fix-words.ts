/** Changes of `--fix` as words of a command line, where they win over those of the person. */
import type { Fix } from '../supervisor/state.ts';

/** What is taken away must not be set by an earlier word either: nothing would take it away from there. */
export function toFixedSets(sets: readonly string[], fixes: readonly Pick<Fix, 'set'>[]): readonly string[] {
  return fixes.reduce((before, { set }) => {
    const paths = Object.keys(set);
    const kept = before.filter((text) => !paths.some((path) => isAt(text, path)));
    return [...kept, ...Object.entries(set).map(([path, value]) => `${path}=${JSON.stringify(value)}`)];
  }, sets);
}

/** Whether a word sets something at a path, or below it. */
export function isAt(text: string, path: string): boolean {
  const own = text.slice(0, text.indexOf('=')).trim();
  return own === path || own === `${path}+` || own.startsWith(`${path}.`);
}
