/** Lines and files as people paste them, and what became of each as one text. */
import { readFileSync } from 'node:fs';
import type { Finding } from '../../../src/core/finding.ts';
import { type Imported, importProfile } from '../../../src/profile/import/import.ts';
import { createFlagShelf } from '../../../src/profile/shelf.ts';
import { toText } from '../../../src/text/render.ts';
import { places } from '../../plan/stand-ins.ts';

export interface Case {
  readonly name: string;
  readonly text: string;
  readonly engineVersion?: string;
  readonly service?: string;
}

/** `### name`, then the text; `@VERSION` in front of it is the engine's, `%service NAME` in a line of its own the service. */
export function readCases(file: string): readonly Case[] {
  const text = readFileSync(new URL(`../../fixtures/import/${file}.txt`, import.meta.url), 'utf8');
  return text
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [name = '', ...rest] = part.split('\n');
      const body = rest.join('\n');
      const engineVersion = /^@(\S+) /.exec(body)?.[1];
      const service = /^%service (\S+)\n/.exec(body)?.[1];
      return {
        name,
        text: body.replace(/^(@\S+ |%service \S+\n)/, ''),
        ...(engineVersion === undefined ? {} : { engineVersion }),
        ...(service === undefined ? {} : { service }),
      };
    });
}

export function importCase({ text, engineVersion, service }: Omit<Case, 'name'>, isFile: boolean): Promise<Imported> {
  const asked = { ...(engineVersion === undefined ? {} : { engineVersion }), ...(service === undefined ? {} : { service }) };
  return importProfile({ texts: [text], isFile, ...asked }, { shelf: createFlagShelf(places), toText });
}

/** Advice of the rules across settings has tests of its own, and that about the missing --host would stand everywhere. */
function isShown({ code, severity }: Finding): boolean {
  return severity === 'error' || (/^profile\/(import|flag|no-catalogue)/.test(code) && code !== 'profile/import-host');
}

export function toAccount({ yaml, dropped, findings }: Imported): string {
  const lines = [
    ...dropped.map(({ text, why }) => `left out: ${text}: ${toText(why)}`),
    ...findings.filter(isShown).map(toFindingText),
    ...(yaml === undefined ? ['no profile'] : []),
  ];
  return `${yaml ?? ''}${lines.map((line) => `| ${line}\n`).join('')}`;
}

function toFindingText({ severity, code, path, line, column, message, hint, evidence, fix }: Finding): string {
  const place = line === undefined ? '' : ` ${line}:${column}`;
  const rest = [hint && toText(hint), evidence && `at: ${evidence}`, fix && `fix: ${JSON.stringify(fix)}`].filter(Boolean);
  return [`${severity}${place} ${code} ${path ?? '-'}: ${toText(message)}`, ...rest].join('\n|     ');
}
