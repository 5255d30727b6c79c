/** An explanation as lines: one fact each. */
import { type Message, say } from '../core/message.ts';
import type { CodeExplanation, FlagEntry, FlagExplanation } from '../operate/explain.ts';
import { toText } from '../text/render.ts';
import type { Palette } from './screen.ts';
import { renderTable } from './tables.ts';

export function renderCode({ code, message, hint, exitStatus, phase, permanent }: CodeExplanation, palette: Palette): string {
  const facts: readonly Message[] = [
    ...(permanent === undefined ? [] : [permanent ? say('diagnosis.permanent') : say('diagnosis.transient')]),
    ...(phase === undefined ? [] : [say('diagnosis.phase', { phase })]),
    ...(exitStatus === undefined ? [] : [say('explain.exit', { status: exitStatus })]),
  ];
  const status = facts.map((fact) => palette.dim(toText(fact)));
  return [palette.strong(code), message, ...(hint === undefined ? [] : [hint]), ...status].map((line) => `${line}\n`).join('');
}

export function renderCodes(codes: readonly CodeExplanation[], palette: Palette): string {
  const head = [toText(say('explain.column.code')), toText(say('explain.column.message'))];
  return renderTable([head, ...codes.map(({ code, message }) => [code, message])], palette);
}

export function renderFlag(explanation: FlagExplanation, palette: Palette): string {
  const { flag, engineVersion, entry, advice } = explanation;
  const title = `${palette.strong(flag)}  ${palette.dim(toText(say('explain.catalogue', { version: engineVersion })))}\n`;
  const rows = [...toHistoryRows(explanation), ...(entry ? toEntryRows(entry) : [])];
  const lines = rows.map(([name, value]) => [`  ${toText(name)}`, typeof value === 'string' ? value : toText(value)]);
  return title + renderTable(lines) + (advice ? `${toText(advice)}\n` : '');
}

type Row = readonly [Message, Message | string];

function toHistoryRows({ since, last, use, never, oldest, entry }: FlagExplanation): readonly Row[] {
  if (never)
    return [[say('explain.since'), say('explain.never')], ...(use === undefined ? [] : [[say('explain.use'), use.join(', ')] as const])];
  const first: readonly Row[] =
    entry === undefined && since === undefined ? [] : [[say('explain.since'), since ?? say('explain.since-before', { version: oldest })]];
  return [
    ...first,
    ...(last === undefined ? [] : [[say('explain.last'), last] as const]),
    ...(use === undefined ? [] : [[say('explain.use'), use.join(', ')] as const]),
  ];
}

function toEntryRows(entry: FlagEntry): readonly Row[] {
  const {
    type,
    default: value,
    depends,
    choices,
    cpuChoices,
    knownValues,
    bounds,
    aliases,
    negative,
    fields,
    group,
    deprecated,
    removal,
  } = entry;
  const list = (name: Message, items: readonly (string | number)[] | undefined): readonly Row[] =>
    items === undefined || items.length === 0 ? [] : [[name, items.join(', ')]];
  const range = Object.entries(bounds ?? {}).map(([sign, limit]) => `${signs[sign] ?? sign} ${limit}`);
  return [
    [say('explain.kind'), type],
    ...(value === undefined && !depends
      ? []
      : [[say('explain.default'), value === undefined ? say('explain.depends') : JSON.stringify(value)] as const]),
    ...list(say('explain.choices'), choices),
    ...list(say('explain.cpu-choices'), cpuChoices),
    ...list(say('explain.known'), knownValues),
    ...list(say('explain.bounds'), range),
    ...list(say('explain.aliases'), aliases),
    ...(type === 'boolean' ? [[say('explain.negative'), negative ?? say('explain.negative-none')] as const] : []),
    ...list(say('explain.fields'), fields),
    ...(group === undefined ? [] : [[say('explain.group'), group] as const]),
    ...(deprecated
      ? [[say('explain.deprecated'), removal === undefined ? say('explain.yes') : say('explain.until', { removal })] as const]
      : []),
  ];
}

const signs: Readonly<Record<string, string>> = { ge: '≥', gt: '>', le: '≤', lt: '<', multiple_of: 'n ×' };
