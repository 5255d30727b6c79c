/** Where cases are played: one sandbox with the real vLLM, a folder for what they need, a port, and one profile after the other. */
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createSandbox, freePort, type Sandbox } from '../../../test/scenarios/sandbox.ts';
import type { Case, Wrapper } from './cases.ts';
import { writeBrokenModel } from './models.ts';

export interface Stage {
  readonly box: Sandbox;
  readonly here: string;
  /** vLLM's own program. */
  readonly program: string;
}

/** A case with all that it needs around it. */
export interface Scene {
  /** Of the deployment. */
  readonly name: string;
  readonly file: string;
  readonly port: number;
  /** Whoever holds the port goes. */
  readonly end: () => Promise<void>;
}

/** Of a home in which `engine install cpu` was done. */
export function toProgram(engineHome: string): string {
  return join(engineHome, 'data/engines/cpu-0.32.0/venv/bin/vllm');
}

export async function openStage(engineHome: string): Promise<Stage> {
  const box = await createSandbox({ engines: join(engineHome, 'data/engines') });
  const here = join(box.home, 'here');
  await mkdir(here);
  await writeFile(join(here, 'key'), 'only-for-a-proof\n', { mode: 0o600 });
  return { box, here, program: toProgram(engineHome) };
}

/** One failure is enough; and where others want the machine too, that is none. */
const always = 'restart: { max-failures: 1, first-delay: 100ms }\nhealth: { start-deadline: 1h, start-stall-after: 30m }';

/** `wanted`: lines of the profile, where they are not those of the case. */
export async function setScene(stage: Stage, one: Case, wanted = one.profile): Promise<Scene> {
  const name = one.name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const port = await freePort();
  const model = one.model ? await writeBrokenModel(one.model, stage.here) : '';
  const wrapper = one.wrapper && wanted === one.profile ? [`engine: { executable: ${await writeWrapper(stage, name, one.wrapper)} }`] : [];
  const lines = [wanted, ...wrapper].join('\n').replaceAll('$HERE', stage.here).replaceAll('$MODEL', model);
  const file = join(stage.box.home, `${name}.yaml`);
  await writeFile(file, `extends: tiny\n${always}\n${lines}\n`);
  const taker = one.portTaken ? await listenOn(port) : undefined;
  return { name, file, port, end: async () => void (await new Promise((done) => (taker ? taker.close(done) : done(undefined)))) };
}

async function writeWrapper({ here, program }: Stage, name: string, { before = '', after = '' }: Wrapper): Promise<string> {
  const path = join(here, `vllm-${name}`);
  await writeFile(path, `#!/bin/sh\nexec ${before} '${program}' "$@" ${after}\n`);
  await chmod(path, 0o755);
  return path;
}

function listenOn(port: number): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/** Logs of its launches, the oldest first. */
export async function listLogs({ box }: Stage, { name }: Scene): Promise<readonly string[]> {
  const folder = join(box.home, 'qd/state/deployments', name, 'launches');
  // Their ids begin with their time.
  return (await readdir(folder)).toSorted().map((id) => join(folder, id, `engine-${id}.log`));
}
