/** The history of an engine that serves, as somebody sees it who asks for it. */
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { eachInSandbox, eventually, type Sandbox, toUpArgs } from './sandbox.ts';

let box: Sandbox;
let port: number;

eachInSandbox((made) => {
  ({ box, port } = made);
});

interface Document {
  readonly kind: string;
  readonly stepSeconds: number;
  readonly samples: readonly ({ readonly at: string; readonly run: number } & Readonly<Record<string, number | string>>)[];
  readonly summary: Readonly<Record<string, { readonly min: number; readonly max: number }>>;
  readonly why?: string;
}

const history = async (...args: string[]) => (await box.cli('status', 'tiny', '--history', '-o', 'json', ...args)).json<Document>();
const directory = () => join(box.home, 'qd/state/deployments/tiny');

async function up(): Promise<Deployment> {
  const result = await box.cli(...toUpArgs(port, '', '-o', 'json'));
  expect(result.code, result.stderr).toBe(0);
  return result.json<Deployment>();
}

const complete = () =>
  fetch(`http://127.0.0.1:${port}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'Qwen3-0.6B', prompt: 'Hello', max_tokens: 100 }),
  }).then((reply) => reply.text());

describe('status --history', () => {
  it('shows memory, load and speed while it serves, after it, and without a supervisor', { timeout: 90_000 }, async () => {
    await up();
    const working = new AbortController();
    const work = (async () => {
      while (!working.signal.aborted) await complete();
    })();
    const seen = await eventually(
      history,
      ({ samples }) => samples.some((sample) => Number(sample['generationTokensPerSecond']) > 0),
      60_000,
    );
    working.abort();
    await work;
    expect(seen).toMatchObject({ kind: 'History', version: 1, name: 'tiny', stepSeconds: 10 });
    expect(seen.summary['rssBytes']?.min).toBeGreaterThan(10e6);
    expect(seen.summary['rssBytes']?.max).toBeLessThan(2e9);
    expect(seen.summary['interTokenP50Ms']?.max).toBeGreaterThan(0);
    expect(seen.samples.every(({ run }) => run === 1)).toBe(true);
    const sizes = await Promise.all(
      (await readdir(directory()))
        .filter((name) => name.startsWith('history'))
        .map(async (name) => (await stat(join(directory(), name))).size),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(2e6);

    const text = await box.cli('status', 'tiny', '--history');
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/^tiny {2}the last 1h, a sample every 10 s \(\d+ seen\), run 1\n/);
    expect(text.stdout).toMatch(/^memory +\d.*[▁-█]/m);
    box.env.LANG = 'C';
    expect((await box.cli('status', '--since', '24h')).stdout).toMatch(/^[\n -~]*$/);

    await box.cli('down', 'tiny');
    expect((await history()).samples.length).toBeGreaterThanOrEqual(seen.samples.length);
  });

  it('is nothing before it serves, and says why; what it cannot read does no harm', { timeout: 60_000 }, async () => {
    expect((await box.cli('status', 'tiny', '--history')).code).toBe(6);
    await up();
    await box.cli('down', 'tiny');
    for (const name of ['history-10s.bin', 'history-1m.bin', 'history-15m.bin']) await writeFile(join(directory(), name), 'damaged');
    const { code, stdout } = await box.cli('status', 'tiny', '--history');
    expect([code, stdout]).toEqual([0, expect.stringContaining('There is no history of tiny')]);
    expect(await history()).toMatchObject({ samples: [], why: expect.stringContaining('There is no history of tiny') });
  });

  it.each(['soon', '5', '10s', ''])('--since "%s" is refused with an example', async (since) => {
    const { code, stderr } = await box.cli('status', '--history', '--since', since);
    expect([code, stderr]).toEqual([2, expect.stringContaining('1h, 24h or 7d')]);
  });
});
