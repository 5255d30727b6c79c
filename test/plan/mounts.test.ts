import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findRefusedMount } from '../../src/plan/mounts.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-mounts-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const judge = async (source: string) => (await findRefusedMount([`${source}:/inside:ro`], { HOME: directory }))?.problem.id;

describe('what engine.mounts hands to a container', () => {
  it('is a directory or a file that is there', async () => {
    const file = join(directory, 'template.jinja');
    await writeFile(file, '');
    expect(await judge(file)).toBeUndefined();
    expect(await judge(join(directory, 'gone'))).toBe('plan.mount-missing');
  });

  it.each(['/', '/etc', '/proc/self', '/dev/null', '/var'])('is never %s', async (source) => {
    expect(await judge(source)).toBe('plan.mount-machine');
  });

  it('may be the programs of the machine, to be read', async () => {
    expect(await findRefusedMount(['/usr:/usr', '/usr/lib:/lib:ro'], {})).toBeUndefined();
    expect((await findRefusedMount(['/usr/lib:/lib:rw'], {}))?.problem.id).toBe('plan.mount-machine');
  });

  it('is never the home directory, nor what leads to it', async () => {
    expect(await judge(directory)).toBe('plan.mount-home');
    await symlink(directory, join(directory, 'link'));
    expect(await judge(join(directory, 'link'))).toBe('plan.mount-home');
  });

  it('is never a socket, by whatever name', async () => {
    const socket = join(directory, 'docker.sock');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    await symlink(socket, join(directory, 'harmless'));
    expect(await judge(join(directory, 'harmless'))).toBe('plan.mount-socket');
    await new Promise((resolve) => server.close(resolve));
  });

  it('is judged one by one', async () => {
    const refused = await findRefusedMount([`${directory}/.:/a`, '/etc:/b'], {});
    expect(refused).toMatchObject({ source: '/etc' });
  });
});
