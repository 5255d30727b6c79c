/** The doctor's report for people: by group, the worst first, one line each, what to do about it below. */
import { type Message, say } from '../core/message.ts';
import type { CheckGroup, CheckResult, CheckStatus } from '../doctor/check.ts';
import type { DoctorReport, Verdict } from '../doctor/report.ts';
import { toErrorText, toText } from '../text/render.ts';
import { toClean } from './clean.ts';
import type { DoctorDeeds } from './doctor-document.ts';
import { toHeadRows } from './doctor-head.ts';
import { type Head, padTo, plainHead, renderHanging } from './doctor-lines.ts';
import { renderFindings } from './findings.ts';
import type { Palette, Screen } from './screen.ts';
import { toWidth } from './tables.ts';

export interface DoctorLook {
  readonly palette: Palette;
  /** Signs instead of words. */
  readonly signs: boolean;
  /** Of the terminal; absent where there is none. */
  readonly columns?: number;
  /** Also what does not apply, and the evidence. */
  readonly verbose: boolean;
}

export function toDoctorLook({ palette, output, size }: Screen, { verbose }: { readonly verbose: boolean }): DoctorLook {
  const columns = size()?.columns;
  return { palette, signs: output.mode === 'tty', verbose, ...(columns === undefined ? {} : { columns }) };
}

export function renderDoctor(report: DoctorReport, look: DoctorLook, { fixed }: DoctorDeeds = {}): string {
  const groups = toGroups(report.checks);
  return [
    renderProblem(report, look),
    renderRows(toHeadRows(report), look),
    renderPlanFindings(report, look),
    ...groups.filter((group) => !isIdle(group, look)).map((group) => renderGroup(group, look)),
    renderIdle(
      groups.filter((group) => isIdle(group, look)),
      look,
    ),
    renderProfiles(report, look),
    renderFixed(fixed, look),
    renderEnd(report, look),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function title(text: Message, { palette }: DoctorLook): string {
  return `${palette.strong(toText(text))}\n`;
}

/** What is wrong with the profile comes before everything else. */
function renderProblem({ problem }: DoctorReport, { palette, columns = Number.POSITIVE_INFINITY }: DoctorLook): string {
  if (problem === undefined) return '';
  const { message, hint } = toErrorText(problem.error);
  const words = toText(say('views.error', { message, code: problem.error.code }));
  const label = `${toText(say('views.severity.error'))}: `;
  const first = renderHanging({ text: palette.bad(label), width: label.length }, words, columns);
  return first + (hint === undefined ? '' : renderHanging(plainHead('  '), hint, columns));
}

function renderPlanFindings({ findings }: DoctorReport, look: DoctorLook): string {
  if (findings.length === 0) return '';
  const { palette, columns = Number.POSITIVE_INFINITY } = look;
  const lines = renderFindings(findings, palette).trimEnd().split('\n');
  const broken = lines.map((line) => {
    const indent = /^ */.exec(line)?.[0] ?? '';
    return renderHanging(plainHead(indent), line.slice(indent.length), columns);
  });
  return title(say('doctor.findings'), look) + broken.join('');
}

function renderRows(rows: readonly (readonly [string, string])[], { palette, columns = Number.POSITIVE_INFINITY }: DoctorLook): string {
  const width = Math.max(...rows.map(([label]) => toWidth(label))) + 2;
  return rows
    .map(([label, text], index) => {
      const again = rows[index - 1]?.[0] === label;
      const head = padTo(again ? '' : label, width);
      return renderHanging({ text: palette.dim(head), width }, toClean(text), columns);
    })
    .join('');
}

interface Group {
  readonly group: CheckGroup;
  readonly checks: readonly CheckResult[];
}

/** Groups in their order, those with the worst answers first. */
function toGroups(checks: readonly CheckResult[]): readonly Group[] {
  const names = [...new Set(checks.map(({ group }) => group))];
  const groups = names.map((group) => ({ group, checks: checks.filter((one) => one.group === group).toSorted(byGravity) }));
  return groups.toSorted((a, b) => toGravity(a.checks[0]) - toGravity(b.checks[0]));
}

function byGravity(a: CheckResult, b: CheckResult): number {
  return toGravity(a) - toGravity(b);
}

const gravities: readonly CheckStatus[] = ['fail', 'warn', 'pass', 'skip'];

function toGravity(check: CheckResult | undefined): number {
  if (check === undefined) return gravities.length;
  return check.needed ? -1 : gravities.indexOf(check.status);
}

function renderGroup({ group, checks }: Group, look: DoctorLook): string {
  const answered = look.verbose ? checks : checks.filter(({ status }) => status !== 'skip');
  const width = Math.max(0, ...answered.map(({ id }) => toWidth(id))) + 2;
  const lines = answered.map((check) => renderCheck(check, { look, width }));
  const skipped = look.verbose ? [] : checks.filter(({ status }) => status === 'skip');
  return [title(say(`doctor.group.${group}`), look), ...lines, renderSkipped(skipped, look)].join('');
}

/** Narrower than this, the answer goes below the id. */
const narrow = 72;

function renderCheck(check: CheckResult, { look, width }: { readonly look: DoctorLook; readonly width: number }): string {
  const { columns = Number.POSITIVE_INFINITY, palette, verbose } = look;
  const mark = toMark(check.status, look);
  const start: Head = { text: `  ${mark.text} `, width: mark.width + 3 };
  const below = columns < narrow;
  const left = below ? 4 : start.width + width;
  const text = toClean(toText(check.message));
  const first = below
    ? `${start.text}${check.id}\n${renderHanging(plainHead(' '.repeat(left)), text, columns)}`
    : renderHanging({ text: `${start.text}${padTo(check.id, width)}`, width: left }, text, columns);
  const arrow = plainHead(`${' '.repeat(left)}→ `);
  const steps = toSteps(check).map((step) => renderHanging(arrow, toClean(step), columns));
  const evidence = verbose ? (check.evidence ?? []).map((line) => `${' '.repeat(left)}${palette.dim(toClean(line))}\n`) : [];
  return [first, ...steps, ...evidence].join('');
}

/** The hint, and the command where the hint does not have it in it. */
function toSteps({ status, hint, fix }: CheckResult): readonly string[] {
  if (status === 'pass' || status === 'skip') return [];
  const text = hint === undefined ? [] : [toText(hint)];
  const has = (words: string) => text.some((line) => line.includes(words));
  if (fix === undefined) return text;
  if (fix.is === 'command') return has(fix.command) ? text : [...text, toText(say('doctor.fix-command', { command: fix.command }))];
  if (fix.is !== 'profile') return [...text, toText(say('doctor.fix-ours'))];
  const sets = Object.entries(fix.set).map(([path, value]) => `--set ${path}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return sets.every(has) ? text : [...text, toText(say('doctor.fix-set', { sets: sets.join(' ') }))];
}

function renderSkipped(skipped: readonly CheckResult[], look: DoctorLook): string {
  if (skipped.length === 0) return '';
  const { palette, columns = Number.POSITIVE_INFINITY } = look;
  const count = skipped.length;
  const why = toCommonReason(skipped);
  const text = why === undefined ? say('doctor.skipped-several', { count }) : say('doctor.skipped', { count, why });
  const mark = toMark('skip', look);
  return renderHanging({ text: `  ${palette.dim(mark.text)} `, width: mark.width + 3 }, toText(text), columns);
}

/** Of more than half of them. */
function toCommonReason(skipped: readonly CheckResult[]): string | undefined {
  const reasons = skipped.map(({ message }) => toText(message));
  return reasons.find((reason) => reasons.filter((one) => one === reason).length * 2 > reasons.length);
}

function isIdle({ checks }: Group, { verbose }: DoctorLook): boolean {
  return !verbose && checks.every(({ status }) => status === 'skip');
}

/** Groups of which nothing applies: one line for all that have the same reason. */
function renderIdle(groups: readonly Group[], look: DoctorLook): string {
  if (groups.length === 0) return '';
  const reasons = [...new Set(groups.map(({ checks }) => toCommonReason(checks)))];
  const rows = reasons.map((why) => {
    const same = groups.filter(({ checks }) => toCommonReason(checks) === why);
    const count = same.flatMap(({ checks }) => checks).length;
    const names = same.map(({ group }) => toText(say(`doctor.group.${group}`)));
    const text = why === undefined ? say('doctor.idle-several', { count }) : say('doctor.idle-row', { count, why });
    return [`  ${names.join(', ')}`, toText(text)] as const;
  });
  return title(say('doctor.idle'), look) + renderRows(rows, look);
}

const signs: Readonly<Record<CheckStatus, string>> = { fail: '✖', warn: '!', pass: '✔', skip: '-' };

/** As wide as the widest of them. */
function toMark(status: CheckStatus, { palette, signs: asSigns }: DoctorLook): Head {
  const paint = { fail: palette.bad, warn: palette.warn, pass: palette.good, skip: palette.dim }[status];
  if (asSigns) return { text: paint(signs[status]), width: 1 };
  return { text: paint(toText(say(`doctor.status.${status}`)).padEnd(4)), width: 4 };
}

const rankVerdicts = ['runs-well', 'runs', 'needs-change', 'no'] as const;

/** Names by verdict; with `verbose` each with its reason. */
function renderProfiles({ profiles }: DoctorReport, look: DoctorLook): string {
  if (profiles.length === 0) return '';
  const name = (verdict: (typeof rankVerdicts)[number]) => toText(say(`doctor.verdict.${verdict}`));
  const rows = look.verbose
    ? profiles.map((one) => [`  ${one.name}`, `${name(one.verdict)}: ${toText(one.why)}`] as const)
    : rankVerdicts.flatMap((verdict) => {
        const names = profiles.flatMap((one) => (one.verdict === verdict ? [one.name] : []));
        return names.length === 0 ? [] : [[`  ${name(verdict)}`, names.join(', ')] as const];
      });
  return title(say('doctor.profiles'), look) + renderRows(rows, look);
}

function renderFixed(fixed: DoctorDeeds['fixed'], look: DoctorLook): string {
  if (fixed === undefined || fixed.applied.length === 0) return '';
  const { columns = Number.POSITIVE_INFINITY } = look;
  const status = (one: CheckStatus) => toText(say(`doctor.status.${one}`));
  const lines = fixed.applied.flatMap(({ text, checks }) => [
    renderHanging(plainHead('  '), toText(text), columns),
    ...checks.map(({ id, before, after }) =>
      renderHanging(plainHead('    '), toText(say('doctor.fixed.check', { id, before: status(before), after: status(after) })), columns),
    ),
  ]);
  return title(say('doctor.fixed'), look) + lines.join('');
}

function renderEnd({ verdict, summary, next }: DoctorReport, look: DoctorLook): string {
  const { columns = Number.POSITIVE_INFINITY, palette } = look;
  const status: Readonly<Record<Verdict, CheckStatus>> = { ok: 'pass', warn: 'warn', error: 'fail' };
  const mark = toMark(status[verdict], look);
  const first = renderHanging({ text: `${mark.text} `, width: mark.width + 1 }, toText(summary), columns);
  // Never broken: it is there to be copied.
  const last = next === undefined ? '' : `${' '.repeat(mark.width + 1)}${palette.strong(toText(say('doctor.next', { command: next })))}\n`;
  return first + last;
}
