import type { Finding, Severity } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import type { Palette } from './screen.ts';

/** More than these are counted, not shown. */
const mostShown = 12;

/** `  file:line:col: error: message (code)`, with the hint below. */
export function renderFindings(findings: readonly Finding[], palette: Palette): string {
  const shown = findings.slice(0, mostShown).map((finding) => renderFinding(finding, palette));
  const rest = findings.length - mostShown;
  return shown.join('') + (rest > 0 ? `  ${toText(say('views.more', { count: rest }))}\n` : '');
}

function renderFinding(finding: Finding, palette: Palette): string {
  const { severity, code, message, hint } = finding;
  const paint = severity === 'error' ? palette.bad : severity === 'warning' ? palette.warn : palette.dim;
  const words = toText(say('views.error', { message: toText(message), code }));
  const first = `  ${toPlaceText(finding, words)}${paint(`${toText(severities[severity])}:`)} ${words}\n`;
  return hint === undefined ? first : `${first}    ${palette.dim(toText(hint))}\n`;
}

/** Where it is; a path that the sentence names anyway is not said twice. */
function toPlaceText({ file, line, column, path }: Finding, words: string): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  if (file !== undefined) return `${place}: `;
  return path === undefined || words.includes(path) ? '' : `${path}: `;
}

const severities: Readonly<Record<Severity, Message>> = {
  error: say('views.severity.error'),
  warning: say('views.severity.warning'),
  info: say('views.severity.info'),
};
