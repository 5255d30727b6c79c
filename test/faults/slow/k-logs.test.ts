/** A log line of a gigabyte. */
import { spawn } from 'node:child_process';
import { readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
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
