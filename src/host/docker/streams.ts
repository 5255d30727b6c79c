/** What an engine tells as it happens: events of containers, and what they print. */
import { DeployError } from '../../core/error.ts';
import type { Container, ContainerEvent, EventsOptions, LogLine, LogsOptions } from './docker.ts';
import type { Door } from './door.ts';
import { parseJson, toField, toNumber, toText, toTextRecord } from './fields.ts';
import { type Frame, readFrames, readLines } from './frames.ts';
import { toDockerAction } from './podman.ts';
import type { Call } from './wire.ts';

export interface EventsQuestion extends EventsOptions {
  readonly isPodman: boolean;
}

export async function* streamEvents(door: Door, question: EventsQuestion): AsyncGenerator<ContainerEvent> {
  const { container, label, since, until, signal, isPodman } = question;
  const filters = { type: ['container'], ...(container ? { container: [container] } : {}), ...(label ? { label: [label] } : {}) };
  // Rounded down: what happened at that very moment comes again rather than not at all.
  const from = since === undefined ? undefined : (Math.floor(since * 1000) / 1000).toFixed(3);
  const to = until === undefined ? Number.POSITIVE_INFINITY : Math.ceil(until * 1000) / 1000;
  const end = until === undefined ? {} : isPodman && isOver(to) ? { stream: 'false' } : { until: to.toFixed(3) };
  for await (const line of readLines(stream(door, { path: '/events', query: { filters, since: from, ...end } }, signal))) {
    const event = toEvent(parseJson(line.toString()));
    if (event && event.at <= to) yield event;
  }
  // Without an end of time in the question, only an engine that goes away ends its answer.
  if (!signal?.aborted && until === undefined)
    throw DeployError.of('docker/broken', { address: door.address, problem: 'it ended the stream of events' });
}

/** Podman tells nothing at all up to a moment that has passed; without one, and not as a stream, all that it knows. */
function isOver(until: number): boolean {
  return until - Date.now() / 1000 < 1;
}

export async function* streamLogs(
  door: Door,
  { container, options }: { readonly container: Container; readonly options: LogsOptions },
): AsyncGenerator<LogLine> {
  const { follow, since, until, tail, signal } = options;
  const query = {
    ...{ stdout: 1, stderr: 1, timestamps: 1, follow: follow ? 1 : 0, tail },
    since: since === undefined ? undefined : toSeconds(since),
    until: until === undefined ? undefined : toSeconds(until),
  };
  const chunks = stream(door, { path: `/containers/${container.id}/logs`, query }, signal);
  yield* toLines(container.config.Tty === true ? toRawFrames(chunks) : readFrames(chunks));
}

async function* stream(door: Door, call: Call, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  if (signal?.aborted) return;
  try {
    const opened = await door.open(call, { beginMs: door.limits.askMs, ...(signal ? { signal } : {}) });
    if ('problem' in opened) throw door.toFailure(opened);
    yield* opened.chunks();
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

function toEvent(value: unknown): ContainerEvent | undefined {
  const actor = toField(value, 'Actor');
  const [id, word] = [toText(actor, 'ID') ?? toText(value, 'id'), toText(value, 'Action') ?? toText(value, 'status')];
  if (id === undefined || word === undefined) return undefined;
  const attributes = toTextRecord(actor, 'Attributes');
  const nanoseconds = toNumber(value, 'timeNano');
  const exitCode = attributes.exitCode === undefined ? undefined : Number(attributes.exitCode);
  return {
    id,
    action: toDockerAction(word),
    at: nanoseconds === undefined ? (toNumber(value, 'time') ?? 0) : nanoseconds / 1e9,
    ...(exitCode === undefined || Number.isNaN(exitCode) ? {} : { exitCode }),
    attributes,
  };
}

/** `SECONDS.NANOSECONDS`, as Docker takes it. Not by way of a number, which has not so many digits. */
function toSeconds(at: string): string {
  const [, moment = at, fraction = '', zone = 'Z'] = /^([^.]*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$/i.exec(at) ?? [];
  return `${Math.floor(Date.parse(`${moment}${zone}`) / 1000)}.${fraction.padEnd(9, '0').slice(0, 9)}`;
}

interface Begun {
  at: string;
  size: number;
  parts: Buffer[];
}

/** One that never ends is given in pieces. */
const lineCap = 2 ** 20;

/**
 * Each frame is a message of the container with its moment in front. The engine's log cuts a long line into messages of
 * 16 KiB, of which only the last one ends the line; it may cut through a character too, so bytes are joined.
 */
async function* toLines(frames: AsyncIterable<Frame>): AsyncGenerator<LogLine> {
  const begun = new Map<LogLine['stream'], Begun>();
  for await (const { stream, message } of frames) {
    const { at, rest } = splitMoment(message);
    const line = begun.get(stream) ?? { at, size: 0, parts: [] };
    line.parts.push(rest);
    line.size += rest.length;
    begun.set(stream, line);
    if (rest.at(-1) !== 0x0a && line.size < lineCap) continue;
    begun.delete(stream);
    yield toLine(stream, line);
  }
  for (const [stream, line] of begun) yield toLine(stream, line);
}

function toLine(stream: LogLine['stream'], { at, parts }: Begun): LogLine {
  return {
    at,
    stream,
    text: Buffer.concat(parts)
      .toString()
      .replace(/\r?\n$/, ''),
  };
}

const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

function splitMoment(message: Buffer): { readonly at: string; readonly rest: Buffer } {
  const end = message.indexOf(0x20);
  const at = end < 0 ? '' : message.toString('latin1', 0, end);
  return moment.test(at) ? { at, rest: message.subarray(end + 1) } : { at: '', rest: message };
}

const pieceBytes = 16 * 1024;
const momentBytes = '2026-01-01T00:00:00.000000000Z '.length;

/** A terminal has one stream and no frames: where the log cut a long line, a moment stands in the middle of it. */
async function* toRawFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  for await (const line of readLines(chunks)) {
    let rest = Buffer.concat([line, Buffer.from('\n')]);
    for (;;) {
      const cut = momentBytes + pieceBytes;
      if (rest.length <= cut || splitMoment(rest.subarray(cut)).at === '') break;
      yield { stream: 'stdout', message: rest.subarray(0, cut) };
      rest = rest.subarray(cut);
    }
    yield { stream: 'stdout', message: rest };
  }
}
