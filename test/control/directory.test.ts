import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ensureDeploymentPaths,
  findSocket,
  listDeployments,
  pruneLaunches,
  toDeploymentPaths,
  toLaunchPaths,
} from '../../src/control/directory.ts';
import { type Places, toPlaces } from '../../src/host/environment.ts';

let home: string;
let places: Places;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-directory-'));
  places = toPlaces({ QWEN_DEPLOY_HOME: home });
});
afterEach(() => rm(home, { recursive: true, force: true }));

describe('the directory of a deployment', () => {
  it('is made for this user alone', async () => {
    const paths = await ensureDeploymentPaths(places, 'tiny');
    for (const path of [paths.directory, paths.launches, join(paths.socket, '..')]) {
      expect((await stat(path)).mode & 0o777).toBe(0o700);
    }
  });

  it.each(['', 'Tiny', '1st', '../up', 'a/b', 'a\0b', 'a b', `a${'b'.repeat(63)}`])('M3 is not made for the name %j', (name) => {
    expect(() => toDeploymentPaths(places, name)).toThrow(expect.objectContaining({ code: 'deployment/bad-name' }));
  });

  it('J2 has a socket whose path is short enough, however long the home is', () => {
    const deep = toPlaces({ QWEN_DEPLOY_HOME: join(home, 'x'.repeat(100)) });
    const sockets = ['a', 'b'].map((name) => toDeploymentPaths(deep, name).socket);
    for (const socket of sockets) expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(107);
    expect(new Set(sockets).size).toBe(2);
  });

  it('knows the socket of the supervisor that runs, whatever this shell would choose', async () => {
    const paths = await ensureDeploymentPaths(places, 'tiny');
    expect(findSocket(paths)).toBe(paths.socket);
    await writeFile(paths.lock, '123\n');
    expect(findSocket(paths)).toBe(paths.socket);
    await writeFile(paths.lock, '123\n/run/user/1/qwen-deploy/tiny.sock\n');
    expect(findSocket(paths)).toBe('/run/user/1/qwen-deploy/tiny.sock');
  });

  it('is listed by its name; what is none of ours is not', async () => {
    expect(listDeployments(places)).toEqual([]);
    for (const name of ['b', 'a']) await ensureDeploymentPaths(places, name);
    await mkdir(join(places.state, 'deployments', 'Not ours'));
    await writeFile(join(places.state, 'deployments', 'c'), '');
    expect(listDeployments(places)).toEqual(['a', 'b']);
  });
});

describe('launches of long ago', () => {
  it('go with their temporary files; the last ten and the present one stay', async () => {
    const paths = await ensureDeploymentPaths(places, 'tiny');
    const ids = Array.from({ length: 14 }, (_, n) => `0190-${process.pid}-${String(n).padStart(12, '0')}`);
    for (const id of ids) {
      const { directory, tmpDir } = toLaunchPaths(paths, id);
      for (const path of [directory, tmpDir]) await mkdir(path);
    }
    // The clock was set back: the present launch seems to be the oldest.
    await pruneLaunches(paths, ids[0] ?? '');
    expect(await readdir(paths.launches)).toEqual([ids[0], ...ids.slice(4)]);
    await expect(stat(toLaunchPaths(paths, ids[1] ?? '').tmpDir)).rejects.toMatchObject({ code: 'ENOENT' });
    for (const id of ids) await rm(toLaunchPaths(paths, id).tmpDir, { recursive: true, force: true });
  });
});
