/** The finished profile, checked as `profiles check` would. */
import type { Finding } from '../../core/finding.ts';
import { checkFlags, type FlagShelf } from '../flags.ts';
import { mergeLayers } from '../inherit.ts';
import { parseProfile } from '../parse.ts';
import { resolveProfile } from '../resolve.ts';
import { checkProfileRules } from '../rules/index.ts';
import { toPlace, type Word } from './launch.ts';

/** Findings point to the words that a setting was read from, as far as there are any. */
export async function checkImported(text: string, words: ReadonlyMap<string, Word>, shelf: FlagShelf): Promise<readonly Finding[]> {
  const { layer, source, findings } = parseProfile(text, '');
  const checked = source ? await checkFlags([source], findings, shelf) : { findings };
  const resolved = layer ? resolveProfile(mergeLayers([layer]), { name: 'imported', source: '' }) : { findings: [] };
  const catalogue = 'catalogue' in checked ? checked.catalogue : undefined;
  const later = 'profile' in resolved ? checkProfileRules(resolved.profile, catalogue) : resolved.findings;
  return [...checked.findings, ...later].map(({ file: _, line: __, column: ___, ...finding }) => ({
    ...finding,
    ...toPlace(findWord(finding.path, words)),
  }));
}

/** Of the setting, or of the nearest thing around it. */
function findWord(path: string | undefined, words: ReadonlyMap<string, Word>): Word | undefined {
  if (path === undefined || path === '') return undefined;
  return words.get(path) ?? findWord(path.slice(0, Math.max(0, path.lastIndexOf('.'))), words);
}
