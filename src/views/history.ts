/** The history of a deployment: a table with a small chart for each series, and the document of the public interface. */
import { type Message, say } from '../core/message.ts';
import { toDurationText, toSizeText } from '../core/units.ts';
import type { History, SeenLeak } from '../operate/history.ts';
import type { Sample, Series } from '../supervisor/history/history.ts';
import { toText } from '../text/render.ts';
import type { Palette } from './screen.ts';
import { renderTable, toTableWidth } from './tables.ts';

export interface HistoryLook {
  readonly palette: Palette;
  /** Whether block characters can be shown. */
  readonly unicode: boolean;
  /** Width of the terminal, where there is one. */
  readonly columns?: number;
}

export function renderHistory(history: History, look: HistoryLook): string {
  if (history.why) return `${toText(history.why)}\n`;
  const { series: shown, leak } = history;
  const numbers = [toHead(), ...shown.map((series) => toNumbers(history, series))];
  const width = toChartWidth(history, (look.columns ?? usualColumns) - toTableWidth(numbers) - 2);
  const charts = ['', ...shown.map((series) => toChart(history, series, { width, unicode: look.unicode }))];
  charts[0] = toText(say('history.column.chart', { span: toSpanText(history) }));
  const rows = numbers.map((row, index) => (width < leastChart ? row : [...row, charts[index] ?? '']));
  const warning = leak ? `${look.palette.warn(`${toText(say('views.severity.warning'))}:`)} ${toText(leak.text)}\n` : '';
  return `${toTitle(history)}\n${renderTable(rows, look.palette)}${warning}`;
}

/** Whether a terminal shows block characters: by its kind, and by the first of the usual variables that says something. */
export function isUnicode(env: NodeJS.ProcessEnv): boolean {
  return env.TERM !== 'dumb' && /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
}

export function toHistoryDocument({ name, stepMs, span, samples, summary, leak, why }: History): object {
  return {
    kind: 'History',
    version: 1,
    name,
    stepSeconds: stepMs / 1000,
    from: toTime(span.fromMs),
    to: toTime(span.toMs),
    samples: samples.map(({ atMs, run, values }) => ({ at: toTime(atMs), run, ...values })),
    summary,
    ...(leak ? { leak: toLeakDocument(leak, span.toMs) } : {}),
    ...(why ? { why: toText(why) } : {}),
  };
}

function toLeakDocument({ run, startBytes, startAtMs, nowBytes, nowAtMs, bytesPerHour, end, text }: SeenLeak, toMs: number): object {
  return {
    run,
    startBytes: Math.round(startBytes),
    startAt: toTime(startAtMs),
    nowBytes: Math.round(nowBytes),
    nowAt: toTime(nowAtMs),
    bytesPerHour: Math.round(bytesPerHour),
    limit: end.of,
    fullAt: toTime(toMs + end.inMs),
    text: toText(text),
  };
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Where no terminal says how wide it is. */
const usualColumns = 100;
const leastChart = 10;
const mostChart = 60;

/** No more places than samples could fill. */
function toChartWidth({ span, stepMs }: History, room: number): number {
  const steps = Math.floor((span.toMs - span.fromMs) / (stepMs * 1.25));
  return Math.min(mostChart, room, steps);
}

function toTitle(history: History): string {
  const { name, stepMs, samples } = history;
  const [first = 0, last = 0] = [Math.min(...samples.map(({ run }) => run)), Math.max(...samples.map(({ run }) => run))];
  const runs = first === last ? say('history.run', { run: first }) : say('history.runs', { first, last });
  const about = { name, span: toSpanText(history), count: samples.length, step: toRoundText(stepMs), runs };
  return toText(say('history.head', about));
}

function toSpanText({ span }: History): string {
  return toRoundText(span.toMs - span.fromMs);
}

/** `10 s`, without tenths, and `24h` as it was asked for. */
function toRoundText(ms: number): string {
  const hours = ms / 3_600_000;
  if (hours === 24) return '24h';
  return ms < 60_000 ? `${Math.round(ms / 1000)} s` : toDurationText(ms);
}

function toHead(): readonly string[] {
  const heads = [say('history.column.min'), say('history.column.median'), say('history.column.max'), say('history.column.now')];
  return ['', ...heads.map(toText)];
}

function toNumbers({ summary }: History, series: Series): readonly string[] {
  const { label, toCell } = looks[series];
  const found = summary[series];
  const cells = [found?.min, found?.median, found?.max, found?.now].map((value) => (value === undefined ? '-' : toCell(value)));
  return [toText(label), ...cells];
}

interface ChartOptions {
  readonly width: number;
  readonly unicode: boolean;
}

const blocks = [...'▁▂▃▄▅▆▇█'];
const letters = [...'.:-=+*#@'];
/** Memory that hardly moves is a flat line, whatever its last percent does. */
const leastSpan = 0.05;

/** One place for each part of the time; blank where nobody looked. */
function toChart(history: History, series: Series, { width, unicode }: ChartOptions): string {
  const places = toPlaces(history, width).map((part) => toPlace(part, series));
  const known = places.filter((value) => value !== undefined);
  const top = Math.max(...known);
  const bottom = looks[series].fromZero ? 0 : Math.min(Math.min(...known), top * (1 - leastSpan));
  const signs = unicode ? blocks : letters;
  const toSign = (value: number) => {
    const share = top > bottom ? (value - bottom) / (top - bottom) : 0;
    return signs[Math.round(share * (signs.length - 1))] ?? ' ';
  };
  return places.map((value) => (value === undefined ? ' ' : toSign(value))).join('');
}

/** A short peak of a queue must not vanish in a mean. */
function toPlace(samples: readonly Sample[], series: Series): number | undefined {
  const found = samples.flatMap(({ values: { [series]: value } }) => (value === undefined ? [] : [value]));
  if (found.length === 0) return undefined;
  return looks[series].peaks ? Math.max(...found) : found.reduce((sum, value) => sum + value, 0) / found.length;
}

function toPlaces({ samples, span }: History, width: number): readonly (readonly Sample[])[] {
  const places: Sample[][] = Array.from({ length: Math.max(0, width) }, () => []);
  for (const sample of samples) {
    const share = (sample.atMs - span.fromMs) / (span.toMs - span.fromMs);
    places[Math.min(width - 1, Math.floor(share * width))]?.push(sample);
  }
  return places;
}

interface SeriesLook {
  readonly label: Message;
  readonly toCell: (value: number) => string;
  readonly fromZero: boolean;
  readonly peaks?: true;
}

const toShare = (value: number) => toText(say('views.percent', { percent: Math.round(value * 100) }));
const toPercent = (value: number) => toText(say('views.percent', { percent: Math.round(value) }));
const toCount = (value: number) => String(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
const toMs = (value: number) => (value < 10 ? `${value.toFixed(1)} ms` : toDurationText(value));

const looks: Readonly<Record<Series, SeriesLook>> = {
  rssBytes: { label: say('history.series.rssBytes'), toCell: toSizeText, fromZero: false },
  cpuPercent: { label: say('history.series.cpuPercent'), toCell: toPercent, fromZero: true },
  kvUsage: { label: say('history.series.kvUsage'), toCell: toShare, fromZero: true, peaks: true },
  running: { label: say('history.series.running'), toCell: toCount, fromZero: true, peaks: true },
  waiting: { label: say('history.series.waiting'), toCell: toCount, fromZero: true, peaks: true },
  ttftP50Ms: { label: say('history.series.ttftP50Ms'), toCell: toMs, fromZero: true },
  interTokenP50Ms: { label: say('history.series.interTokenP50Ms'), toCell: toMs, fromZero: true },
  generationTokensPerSecond: { label: say('history.series.generationTokensPerSecond'), toCell: toCount, fromZero: true },
  promptTokensPerSecond: { label: say('history.series.promptTokensPerSecond'), toCell: toCount, fromZero: true },
  prefixHitRate: { label: say('history.series.prefixHitRate'), toCell: toShare, fromZero: true },
};
