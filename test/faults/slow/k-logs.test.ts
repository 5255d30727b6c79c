/** A log line of a gigabyte, and one that grows by 50 MB a second. */
import { spawn } from 'node:child_process';
import { open, readdir, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { waitFor } from '../../../src/core/clock.ts';
import { root } from '../../scenarios/sandbox.ts';
import { openKit } from '../kit.ts';

const kit = openKit();

it('K2 a line of 1 GB: shown up to its cap, in bounded memory', { timeout: 120_000 }, async () => {
  const { launchId = '' } = await kit.up();
  expect((await kit.box.cli('down')).code).toBe(0);
  // It takes no room on the disk: zeros that were never written.
  await truncate(join(kit.box.home, 'qd/state/deployments/tiny/launches', launchId, `engine-${launchId}.log`), 2 ** 30);
  const child = spawn(process.execPath, [join(root, 'dist/main.js'), 'logs', 'tiny'], {
    env: kit.box.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let shown = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.length;
  });
  let mostMiB = 0;
  const look = async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    mostMiB = Math.max(mostMiB, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
  };
  const timer = setInterval(() => void look(), 100);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(timer);
  expect(code).toBe(0);
  expect(shown).toBeGreaterThan(64 * 1024);
  expect(shown).toBeLessThan(2 ** 20);
  expect(mostMiB).toBeGreaterThan(20);
  expect(mostMiB).toBeLessThan(200);
});

it('K1 50 MB/s: once it was noticed no file is more than a third above its cap; as many as are to be kept, and the engine answers', {
  timeout: 120_000,
}, async () => {
  const [cap, keep] = [100e6, 2];
  const { launchId = '' } = await kit.up('', 'logs.max-size=100MB', `logs.keep=${keep}`);
  const directory = join(kit.box.home, 'qd/state/deployments/tiny/launches', launchId);
  // As the engine writes it: at its end, wherever that is.
  const log = await open(join(directory, `engine-${launchId}.log`), 'a');
  const part = Buffer.from(`${'x'.repeat(99)}\n`.repeat(50_000));
  // A flood that begins all at once is noticed within two seconds.
  const noticedMs = 2500;
  const seen = { most: 0, first: 0, pieces: 0, slowestMs: 0 };
  const startedAt = performance.now();
  for (let written = 0; written < 9 * 50e6; written += part.length) {
    await log.write(part);
    const files = (await readdir(directory)).filter((name) => /\.log(\.\d+)?$/.test(name));
    const sizes = await Promise.all(
      files.map((name) =>
        stat(join(directory, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    const live = sizes[files.findIndex((name) => name.endsWith('.log'))] ?? 0;
    if (seen.pieces < 2) seen.first = Math.max(seen.first, live);
    else seen.most = Math.max(seen.most, live);
    seen.pieces = Math.max(seen.pieces, files.length);
    const askedAt = performance.now();
    if (written % (10 * part.length) === 0) expect(await kit.complete('Hello')).toBe(200);
    seen.slowestMs = Math.max(seen.slowestMs, performance.now() - askedAt);
    await waitFor(Math.max(0, (written + part.length) / 50e3 - (performance.now() - startedAt)));
  }
  await log.close();
  expect(seen.first).toBeLessThan(cap + 50e3 * noticedMs);
  expect(seen.most).toBeGreaterThan(0.9 * cap);
  // What is written while the rest is copied comes on top.
  expect(seen.most).toBeLessThan((4 / 3) * cap);
  expect(seen.pieces).toBeGreaterThan(1);
  expect(seen.pieces).toBeLessThanOrEqual(keep + 1);
  expect(seen.slowestMs).toBeLessThan(2000);
  expect(await kit.status()).toMatchObject({ state: 'ready', restarts: { total: 0 } });
});
