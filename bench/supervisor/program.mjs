// The program that is supervised in the benchmark, and what can be seen of it from outside.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { root } from '../lib.mjs';

/** A program that notes when it begins, and then becomes what it is: the moment of a respawn, seen from the program. */
export function writeProgram(directory, { children, port }) {
  mkdirSync(directory, { recursive: true });
  const marks = join(directory, 'marks');
  writeFileSync(marks, '');
  const body = children
    ? `exec "${join(root, 'test/fake-vllm/vllm')}" "$@"`
    : `exec "${process.execPath}" "${join(root, 'bench/supervisor/alone.mjs')}" "$@"`;
  const program = join(directory, 'vllm');
  writeFileSync(program, `#!/bin/sh\necho "$(date +%s%3N) $$" >> "${marks}"\n${body}\n`);
  chmodSync(program, 0o755);
  return {
    program,
    marks,
    port,
    args: ['serve', 'model', '--host', '127.0.0.1', '--port', String(port), '--served-model-name', 'Qwen3-0.6B'],
  };
}

export function readMarks(marks) {
  return readFileSync(marks, 'utf8')
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ').map(Number));
}

export async function until(what, isSo, limitMs = 30_000) {
  const deadline = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await wait(5);
  }
}

export async function answers(port) {
  return fetch(`http://127.0.0.1:${port}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}

export function readStat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const rest = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
    return { name, parent: Number(rest[1]), group: Number(rest[2]), session: Number(rest[3]), ticks: Number(rest[11]) + Number(rest[12]) };
  } catch {
    return undefined;
  }
}

export function readRss(pid) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
