import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ensureDeploymentPaths } from '../../src/control/directory.ts';
import { tryLock } from '../../src/host/lock.ts';
import { installEngine } from '../../src/operate/engine-install.ts';
import { readEngineList } from '../../src/operate/engine-list.ts';
import { removeEngine } from '../../src/operate/engine-remove.ts';
import { writeState } from '../../src/supervisor/store.ts';
import { toErrorText } from '../../src/text/render.ts';
import { createFakeMachine, type FakeMachine } from '../engine/fake-machine.ts';
import { makeState, makeWanted } from '../supervisor/make.ts';

const id = 'cpu-0.32.0';
let machine: FakeMachine;
beforeEach(async () => {
  machine = await createFakeMachine(['python3', 'uv']);
});
afterEach(() => machine.dispose());

it('removes an engine; it can be installed again', async () => {
  const { directory } = await installEngine({ variant: 'cpu', version: '0.32.0' }, machine);
  expect(await removeEngine({ id }, machine)).toEqual({ id, directory });
  expect((await readEngineList(machine)).engines).toEqual([]);
  expect(await readdir(directory)).toEqual(['lock']);
  await expect(removeEngine({ id }, machine)).rejects.toThrow('engine/unknown');
  expect(await installEngine({ variant: 'cpu', version: '0.32.0' }, machine)).toMatchObject({ id });
});

it('removes what an interrupted installation left', async () => {
  const directory = join(machine.places.data, 'engines', id);
  await mkdir(join(directory, 'venv'), { recursive: true });
  await removeEngine({ id }, machine);
  expect(existsSync(join(directory, 'venv'))).toBe(false);
});

it('knows the nearest name', async () => {
  await mkdir(join(machine.places.data, 'engines', id, 'venv'), { recursive: true });
  const error = await removeEngine({ id: 'cpu-0.31.0' }, machine).catch((reason) => reason);
  expect(error.exitStatus).toBe(6);
  expect(toErrorText(error).message).toBe('There is no installed engine "cpu-0.31.0". Did you mean cpu-0.32.0?');
});

it.each(['../..', '.', '', 'engines'])('never removes "%s"', async (odd) => {
  await mkdir(machine.places.data, { recursive: true });
  await writeFile(join(machine.places.data, 'kept'), '');
  await expect(removeEngine({ id: odd }, machine)).rejects.toThrow('engine/unknown');
  expect(await readdir(machine.places.data)).toContain('kept');
});

it('keeps an engine that a deployment uses', async () => {
  const { program } = await installEngine({ variant: 'cpu', version: '0.32.0' }, machine);
  const paths = await ensureDeploymentPaths(machine.places, 'tiny');
  const wanted = makeWanted('a', { program });
  await writeState(paths.state, makeState({ life: 'ready', wanted }));
  const error = await removeEngine({ id }, machine).catch((reason) => reason);
  expect(toErrorText(error)).toEqual({ message: 'The engine cpu-0.32.0 is used by tiny.', hint: 'qwen-deploy down tiny first.' });
  await writeState(paths.state, makeState({ life: 'stopped', wanted }));
  await expect(removeEngine({ id }, machine)).resolves.toMatchObject({ id });
});

it('keeps an engine that is being installed', async () => {
  const directory = join(machine.places.data, 'engines', id);
  await mkdir(join(directory, 'venv'), { recursive: true });
  const lock = await tryLock(join(directory, 'lock'));
  await expect(removeEngine({ id }, machine)).rejects.toThrow('engine/busy');
  await lock?.release();
});
