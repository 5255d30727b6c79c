/** Images made on the spot, without a registry: the stand-in engine, and the real vLLM of an engine home. */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import type { ContainerMount } from '../../src/plan/launch-spec.ts';
import { listLibraries, type TestEngine } from './engine.ts';

const run = promisify(execFile);
const standInEntry = new URL('../../test/fake-vllm/main.ts', import.meta.url).pathname;
const version = '0.32.0';
/** As vLLM's own image has them: its version is read without starting it. */
const labels = [`LABEL org.opencontainers.image.version=${version}`, `LABEL ai.vllm.image.tag=v${version}`];

/** The shell that hands over secrets, and what one looks around with inside. */
const tools = ['sh', 'cat', 'env', 'id', 'ls', 'sleep'] as const;

/** Node, a shell, a few programs, and test/fake-vllm as `vllm` on the PATH, in one file without `node_modules`. */
export async function importStandIn(engine: TestEngine, name: string): Promise<void> {
  await importTree(engine, {
    name,
    changes: [...labels, 'ENTRYPOINT ["vllm","serve"]', 'ENV PATH=/usr/local/bin:/usr/bin:/bin'],
    async fill(root) {
      await copyProgram(root, process.execPath, '/usr/local/bin/node');
      for (const tool of tools) await copyProgram(root, await findProgram(tool), `/bin/${tool}`);
      await mkdir(join(root, 'opt/vllm'), { recursive: true });
      const banner = { js: '#!/usr/local/bin/node' };
      const outfile = join(root, 'opt/vllm/vllm.mjs');
      await build({ entryPoints: [standInEntry], outfile, banner, bundle: true, format: 'esm', platform: 'node', target: 'node20.19' });
      await chmod(outfile, 0o755);
      await symlink('/opt/vllm/vllm.mjs', join(root, 'usr/local/bin/vllm'));
      await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nvllm:x:2000:0:vllm:/home/vllm:/bin/sh\n');
    },
  });
}

/** What a container of the real vLLM's image needs beside it; all of it is read-only. */
export interface RealImage {
  readonly mounts: readonly ContainerMount[];
}

/**
 * The vLLM of `engineHome` (the directory of QWEN_DEPLOY_HOME), 7 GB of which nothing is copied: the image is a tree of
 * empty directories, and whoever makes a container of it mounts this machine's programs, libraries, Python and environment.
 */
export async function importRealVllm(engine: TestEngine, name: string, engineHome: string): Promise<RealImage> {
  const environment = join(await realpath(engineHome), `data/engines/cpu-${version}/venv`);
  const python = dirname(dirname(await realpath(join(environment, 'bin/python'))));
  const sources = ['/usr', '/lib', '/lib64', '/bin', '/etc/alternatives', python, environment];
  await importTree(engine, {
    name,
    changes: [...labels, `ENTRYPOINT ["${environment}/bin/vllm","serve"]`, `ENV PATH=${environment}/bin:/usr/bin:/bin`],
    async fill(root) {
      // They are there before a container has a read-only root.
      for (const directory of sources) await mkdir(join(root, directory), { recursive: true });
      for (const file of ['/etc/ld.so.cache', '/etc/passwd']) await cp(file, join(root, file), { dereference: true });
    },
  });
  // HOME is the caller's to set: root's own is not writable in a container with a read-only root.
  return { mounts: sources.map((path) => ({ source: path, target: path, readOnly: true })) };
}

interface Tree {
  readonly name: string;
  readonly changes: readonly string[];
  readonly fill: (root: string) => Promise<void>;
}

async function importTree({ docker }: TestEngine, { name, changes, fill }: Tree): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'qd-image-'));
  try {
    const root = join(work, 'root');
    for (const directory of ['bin', 'proc', 'sys', 'dev', 'etc', 'root', 'tmp']) await mkdir(join(root, directory), { recursive: true });
    await chmod(join(root, 'tmp'), 0o1777);
    await fill(root);
    const archive = join(work, 'image.tar');
    await run('tar', ['-C', root, '--owner=0', '--group=0', '-cf', archive, '.']);
    await docker('import', ...changes.flatMap((change) => ['--change', change]), archive, name);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function copyProgram(root: string, source: string, target: string): Promise<void> {
  const files: readonly (readonly [from: string, to: string])[] = [
    [source, target],
    ...(await listLibraries(source)).map((library) => [library, library] as const),
  ];
  for (const [from, to] of files) {
    await mkdir(dirname(join(root, to)), { recursive: true });
    await cp(from, join(root, to), { dereference: true });
  }
}

async function findProgram(name: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', 'command -v "$0"', name]);
  return realpath(stdout.trim());
}
