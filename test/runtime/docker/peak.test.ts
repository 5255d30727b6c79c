import { expect, test } from 'vitest';
import { withMemory } from '../../../src/runtime/docker/peak.ts';
import type { Exit } from '../../../src/runtime/runtime.ts';
import { containerId } from './stand-ins.ts';

const memory = { limitBytes: 512, peakBytes: 512 };
const killed: Exit = { signal: 'SIGKILL' };

test.each<[string, Exit, number, Exit]>([
  ['the engine says so', { ...killed, outOfMemory: true }, 0, { ...killed, outOfMemory: true, memory }],
  ['the group has counted it', killed, 1, { ...killed, outOfMemory: true, memory }],
  ['a child of it was killed', { code: 1 }, 1, { code: 1, outOfMemory: true, memory }],
  ['nobody says so', killed, 0, killed],
  ['it got over that', { code: 0 }, 1, { code: 0 }],
  ['somebody stopped it', { ...killed, by: 'stopped' }, 1, { ...killed, by: 'stopped' }],
])('memory ran out: %s', async (_, exit, kills, expected) => {
  expect(await withMemory(exit, { containerId, seen: { kills, ...memory } })).toEqual(expected);
});

test('memory ran out: nobody has looked', async () => {
  expect(await withMemory(killed, { containerId, seen: undefined })).toEqual(killed);
});
