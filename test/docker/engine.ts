/** A Docker engine of a test's own: nothing of one that may run on this machine is touched. */
import { execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { waitFor } from '../../src/core/clock.ts';
import { observeDocker } from '../../src/host/docker/observe.ts';
import { isDead, readProcess } from '../../src/host/proc.ts';

const run = promisify(execFile);
const project = new URL('../../', import.meta.url).pathname;
const guardPath = join(project, 'test/docker/guard.sh');

export interface TestEngine {
  readonly socket: string;
  /** For programs that are to ask this engine; without the person's own contexts. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs Docker's own program. Rejects with its words when it fails. */
  readonly docker: (...args: readonly string[]) => Promise<string>;
  /** Ends the engine alone, as a restart of its service does; resolves when it has gone. What it made stays. */
  readonly halt: () => Promise<void>;
  /** Begins it again where it was left; resolves when it answers. */
  readonly resume: () => Promise<void>;
  /** Its process number, which changes with `resume`. */
  readonly readPid: () => Promise<number>;
  /** Ends the engine and removes all that it made. */
  readonly stop: () => Promise<void>;
}

const startLimitMs = 60_000;

/** `stop` is registered by the caller before the first container: it is what makes up for a failed test. */
export function startEngine(): Promise<TestEngine> {
  // Without a bridge and without rules of its own: it changes nothing of the network of this machine.
  return start(['--bridge', 'none']);
}

/**
 * With a bridge of its own, so that `-p 127.0.0.1:PORT:PORT` works: Docker's own proxy carries what comes to the port.
 * No rule and no setting of this machine's network is touched; the bridge goes with the engine. `options`: more of
 * dockerd's own, such as `--live-restore`.
 */
export async function startNetworkedEngine(options: readonly string[] = []): Promise<TestEngine> {
  const { env, name } = await chooseBridge();
  return start(['--bridge', name, '--ip-forward=false', ...options], env);
}

/** Of 198.18.0.0/15, which is set apart for tests and routed nowhere. */
const subnets = 512;

export interface Bridge {
  readonly name: string;
  /** `A.B.C.`, of its 256 addresses; the first one is its own. */
  readonly network: string;
  /** For guard.sh, which makes it and takes it away. */
  readonly env: Readonly<Record<string, string>>;
}

/** Several tests have engines at the same time: two bridges with the same addresses would take each other's packets. */
export async function chooseBridge(): Promise<Bridge> {
  const { stdout: taken } = await run('ip', ['-o', '-4', 'addr', 'show']);
  for (;;) {
    const number = randomInt(subnets);
    const name = `qd${process.pid.toString(36)}${number.toString(36)}`;
    const network = `198.${18 + (number >> 8)}.${number & 255}.`;
    if (!taken.includes(` ${network}`)) return { name, network, env: { QD_BRIDGE: name, QD_BRIDGE_ADDRESS: `${network}1/24` } };
  }
}

async function start(network: readonly string[], guardEnv: Readonly<Record<string, string>> = {}): Promise<TestEngine> {
  const directory = await makeEngineDirectory();
  const at = (name: string) => join(directory, name);
  const socket = at('docker.sock');
  const options = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid'), ...network, '--iptables=false'];
  return startGuarded({ directory, socket, program: 'dockerd', args: [...options, '-H', `unix://${socket}`], env: guardEnv });
}

/** Not below a long directory: the path of a socket is at most 107 characters. */
export function makeEngineDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'qd-dockerd-'));
}

export interface Guarded {
  /** All that it makes lies below; removed in the end. */
  readonly directory: string;
  readonly socket: string;
  readonly program: 'dockerd' | 'podman';
  readonly args: readonly string[];
  /** Of the guard and of the engine. */
  readonly env: Readonly<Record<string, string>>;
}

export async function startGuarded({ directory, socket, program: engine, args, env: guardEnv }: Guarded): Promise<TestEngine> {
  const guard = spawn(guardPath, [directory, engine, ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...process.env, ...guardEnv },
  });
  const said: string[] = [];
  guard.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const over = new Promise<void>((done) => guard.once('close', () => done()).once('error', () => done()));
  const stop = () => {
    guard.stdin.end();
    return over;
  };
  const env = { ...process.env, DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: join(directory, 'config') };
  const readPid = async () => Number(await readFile(join(directory, 'guarded'), 'utf8'));
  const halt = async () => {
    const pid = await readPid();
    guard.stdin.write('halt\n');
    await waitUntilGone(pid);
  };
  const resume = async () => {
    guard.stdin.write('resume\n');
    await waitUntilAnswers(env);
  };
  try {
    await Promise.race([waitUntilAnswers(env), over.then(() => Promise.reject(new Error(`${engine} ended: ${said.join('')}`)))]);
  } catch (error) {
    await stop();
    throw error;
  }
  const docker = async (...args: readonly string[]) => (await run('docker', [...args], { env, maxBuffer: 2 ** 24 })).stdout;
  return { socket, env, docker, halt, resume, readPid, stop };
}

async function waitUntilGone(pid: number): Promise<void> {
  for (const deadline = performance.now() + startLimitMs; performance.now() < deadline; await waitFor(50)) {
    const facts = await readProcess(pid);
    if (facts === undefined || isDead(facts)) return;
  }
  throw new Error(`it does not end within ${startLimitMs} ms`);
}

async function waitUntilAnswers(env: NodeJS.ProcessEnv): Promise<void> {
  for (const deadline = performance.now() + startLimitMs; performance.now() < deadline; await waitFor(100)) {
    if ((await observeDocker(env, { timeoutMs: 2000 })).is === 'present') return;
  }
  throw new Error(`it does not answer within ${startLimitMs} ms`);
}

/** Where the program lies in the image. */
export const program = ['/bin/node', '/app/dist/main.js'] as const;

/** An image of Node, the libraries that it needs, and this project as it is packed: no other program is in it. */
export async function importImage({ docker }: TestEngine, name: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'qd-image-'));
  try {
    const root = join(work, 'root');
    for (const directory of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp', 'app']) await mkdir(join(root, directory), { recursive: true });
    await cp(process.execPath, join(root, 'bin/node'), { dereference: true });
    for (const library of await listLibraries(process.execPath)) {
      await mkdir(dirname(join(root, library)), { recursive: true });
      await cp(library, join(root, library), { dereference: true });
    }
    await cp('/etc/os-release', join(root, 'etc/os-release'), { dereference: true });
    const { files } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { readonly files: readonly string[] };
    for (const file of ['package.json', ...files]) await cp(join(project, file), join(root, 'app', file), { recursive: true });
    await run('tar', ['-C', root, '-cf', join(work, 'image.tar'), '.']);
    await docker('import', join(work, 'image.tar'), name);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** As the dynamic loader finds them, and the loader itself. */
export async function listLibraries(binary: string): Promise<readonly string[]> {
  const { stdout } = await run('ldd', [binary]);
  return [...stdout.matchAll(/(?:=>\s+|^\s*)(\/\S+)/gm)].flatMap((match) => match[1] ?? []);
}
