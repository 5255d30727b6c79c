/** What would mend a failure, as words to be copied. */
import type { Remedy } from '../core/finding.ts';
import { toShellWord } from '../core/shell.ts';
import { toText } from '../text/render.ts';
import { toClean } from './clean.ts';

/** The change as options of `up`, and what is to be run besides. */
export function toRemedyWords({ set, command }: Remedy): readonly string[] {
  const words = Object.entries(set ?? {}).map(([path, value]) => `--set ${toShellWord(`${path}=${toYaml(value)}`)}`);
  return [...(words.length > 0 ? [words.join(' ')] : []), ...(command === undefined ? [] : [command])].map(toClean);
}

/** In one line. */
export function toRemedyText(remedy: Remedy): string {
  return [toClean(toText(remedy.text)), ...toRemedyWords(remedy)].join('  ');
}

/** A text that YAML would read as something else keeps its quotes. */
function toYaml(value: unknown): string {
  const isPlain =
    typeof value === 'string' && /^[A-Za-z/][^:#{}[\],&*!|>'"%@`]*$/.test(value) && !/^(?:true|false|null|on|off|yes|no)$/i.test(value);
  return isPlain ? value : JSON.stringify(value ?? null);
}
