// npm run bench:diagnosis-size [-- MEGABYTES] — the most memory that `explain --log` takes of a log of 2 GB: from a file,
// from a pipe, packed by gzip, and as one endless line that a progress bar redraws. Takes minutes.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createHome, mainFile, report } from './lib.mjs';
import { measurePeak, writeLongLog } from './long-log.mjs';

const megabyte = 2 ** 20;
const size = Number(process.argv[2] ?? 2048) * megabyte;
const wanted = new Set(process.argv[3]?.split(',') ?? ['file', 'pipe', 'gzip', 'bar']);
const { home, env, remove } = createHome();

try {
  const directory = mkdtempSync(join(home, 'log-'));
  const rows = [];
  const explain = async (name, path, input) => {
    const args = [mainFile, 'explain', '--log', input === undefined ? path : '-', '-o', 'json'];
    const { ms, output, peakBytes } = await measurePeak(process.execPath, args, { env, cwd: home, ...(input ? { input } : {}) });
    const { cause, log } = JSON.parse(output);
    console.log(`${name}: ${(ms / 1000).toFixed(0)} s, ${log.lines} lines, ${cause ?? 'nothing failed'}`);
    rows.push({ name: `most memory, ${name}`, value: peakBytes / megabyte, bar: 150, unit: ' MB' });
  };
  const log = join(directory, 'long.log');
  writeLongLog(log, size);
  if (wanted.has('file')) await explain('a file', log);
  if (wanted.has('pipe')) await explain('a pipe', log, log);
  if (wanted.has('gzip')) {
    execFileSync('gzip', ['-1', log]);
    await explain('gzip', `${log}.gz`);
  }
  rmSync(log, { force: true });
  if (wanted.has('bar')) {
    const bar = join(directory, 'bar.log');
    writeBar(bar);
    await explain('one line of a progress bar', bar);
  }
  report('bench:diagnosis-size', rows);
} finally {
  remove();
}

/** One line: the cause stands in front of it and at its end, where a reader finds it. */
function writeBar(path) {
  const handle = openSync(path, 'w');
  const piece = Array.from({ length: 4096 }, (_, at) => `Loading safetensors: ${at % 100}%|####   | ${at}/4096\r`).join('');
  for (let bytes = 0; bytes < size; ) bytes += writeSync(handle, piece);
  writeSync(handle, 'ERROR torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n');
  closeSync(handle);
}
