/** What checking profiles found, as a compiler would say it: a line that editors and people can follow to its place. */
import type { Finding, Severity } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { toFindingDocument } from './documents.ts';
import type { Palette } from './screen.ts';

export interface CheckedProfiles {
  readonly files: readonly { readonly file: string; readonly findings: readonly Finding[] }[];
}

export function toProfileCheckDocument({ files, ...rest }: CheckedProfiles): object {
  return { ...rest, files: files.map(({ file, findings }) => ({ file, findings: findings.map(toFindingDocument) })) };
}

/** `cwd`: paths below it are shown from there. */
export function renderProfileCheck(
  { files }: CheckedProfiles,
  { palette, cwd }: { readonly palette: Palette; readonly cwd: string },
): string {
  const toShownPath = (path: string) => (path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path);
  const found = files.flatMap(({ file, findings }) => findings.map((finding) => ({ file, ...finding })));
  // What is wrong with a parent is wrong with each of its children, and said once.
  const shown = new Map(found.map((finding) => [renderFinding(finding, { palette, toShownPath }), finding]));
  return `${[...shown.keys()].join('')}${renderCount(files.length, [...shown.values()])}\n`;
}

interface Form {
  readonly palette: Palette;
  readonly toShownPath: (path: string) => string;
}

function renderFinding(
  { severity, code, message, hint, ...at }: Finding & { readonly file: string },
  { palette, toShownPath }: Form,
): string {
  const place = [toShownPath(at.file), at.line, at.column].filter((part) => part !== undefined).join(':');
  const text = toText(message);
  // Without a line, the path is all that leads there.
  const where = at.line === undefined && at.path !== undefined && !text.includes(at.path) ? `${at.path}: ` : '';
  const words = toText(say('views.error', { message: text, code }));
  const first = `${palette.strong(`${place}:`)} ${paint(severity, palette)(`${toText(names[severity])}:`)} ${where}${words}\n`;
  return hint === undefined ? first : `${first}    ${palette.dim(toText(hint))}\n`;
}

function paint(severity: Severity, palette: Palette): (text: string) => string {
  if (severity === 'error') return palette.bad;
  return severity === 'warning' ? palette.warn : palette.dim;
}

const names: Readonly<Record<Severity, Message>> = {
  error: say('views.severity.error'),
  warning: say('views.severity.warning'),
  info: say('views.severity.info'),
};

function renderCount(files: number, findings: readonly Finding[]): string {
  const profiles = toCount(files, [say('profiles.one'), say('profiles.many', { count: files })]);
  const count = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings, notes] = [count('error'), count('warning'), count('info')];
  const parts = [
    ...(errors === 0 ? [] : [toCount(errors, [say('profiles.check.error'), say('profiles.check.errors', { count: errors })])]),
    ...(warnings === 0 ? [] : [toCount(warnings, [say('profiles.check.warning'), say('profiles.check.warnings', { count: warnings })])]),
    ...(errors + warnings === 0 ? [toText(say('profiles.check.fine'))] : []),
    ...(notes === 0 ? [] : [toCount(notes, [say('profiles.check.note'), say('profiles.check.notes', { count: notes })])]),
  ];
  return [profiles, ...parts].join(', ');
}

function toCount(count: number, [one, many]: readonly [Message, Message]): string {
  return toText(count === 1 ? one : many);
}
