import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogLine, LogsOptions } from '../../../src/host/docker/docker.ts';
import { copyLog } from '../../../src/runtime/docker/log-copy.ts';
import { containerId, running, toDocker } from './stand-ins.ts';

let directory = '';
const at = (name: string) => join(directory, name);
const read = () => readFile(at('engine.log'), 'utf8');
const cursor = async () => JSON.parse(await readFile(at('cursor'), 'utf8')) as Record<string, unknown>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-log-copy-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const toLine = (at: number, text: string): LogLine => ({
  at: `2026-01-01T00:00:00.${String(at).padStart(9, '0')}Z`,
  stream: 'stdout',
  text,
});
/** Five lines, of which three have the same time. */
const said = [toLine(1, 'one'), toLine(2, 'two'), toLine(2, 'three'), toLine(2, 'four'), toLine(3, 'five')];
const whole = 'one\ntwo\nthree\nfour\nfive\n';

/** As Docker gives them: from that time on, those of that very time again. */
async function* from(lines: readonly LogLine[], { since = '' }: LogsOptions): AsyncIterable<LogLine> {
  yield* lines.filter((line) => line.at >= since);
}

function copy(logs: (options: LogsOptions) => AsyncIterable<LogLine>): Promise<void> {
  const docker = toDocker({ inspect: () => ({ ...running, state: 'exited' }), logs });
  const parts = { docker: async () => docker, containerId, logFile: at('engine.log'), cursorFile: at('cursor') };
  return copyLog(parts, new AbortController().signal);
}

describe('the copy of a container’s log', () => {
  it('has every line once, and a cursor after the last', async () => {
    await copy((options) => from(said, options));
    expect(await read()).toBe(whole);
    expect(await cursor()).toEqual({ at: said[4]?.at, lines: 1, size: whole.length });
  });

  it.each([1, 2, 3, 4, 5])('goes on where it was after %i lines', async (count) => {
    await copy((options) => from(said.slice(0, count), options));
    await copy((options) => from(said, options));
    expect(await read()).toBe(whole);
  });

  it.each([1, 2, 3, 4])('knows the %i lines that were written after the cursor, and takes back half a line', async (count) => {
    await copy((options) => from(said.slice(0, count), options));
    const later = whole
      .split('\n')
      .slice(count, count + 1)
      .join('');
    await appendFile(at('engine.log'), `${later}\nha`);
    await copy((options) => from([...said, toLine(4, 'half')], options));
    expect(await read()).toBe(`${whole}half\n`);
  });

  it('goes on in a log that was cut meanwhile', async () => {
    await copy((options) => from(said.slice(0, 3), options));
    await truncate(at('engine.log'), 0);
    await copy((options) => from(said, options));
    expect(await read()).toBe('four\nfive\n');
  });

  it('begins again where its stream breaks', async () => {
    let times = 0;
    await copy(async function* (options) {
      times += 1;
      yield* from(times === 1 ? said.slice(0, 3) : said, options);
      if (times === 1) throw new Error('socket hang up');
    });
    expect(times).toBe(2);
    expect(await read()).toBe(whole);
  });

  it('is over when the container is gone', async () => {
    const docker = toDocker({ inspect: () => undefined });
    const parts = { docker: async () => docker, containerId, logFile: at('engine.log'), cursorFile: at('cursor') };
    await copyLog(parts, new AbortController().signal);
    expect(await readdir(directory)).toEqual([]);
  });

  it('takes a cursor that is none for none', async () => {
    await writeFile(at('cursor'), '{"at":');
    await copy((options) => from(said, options));
    expect(await read()).toBe(whole);
  });
});
