/** Many deployments of one profile at once, each started and stopped again, and what the Docker engine has left of them. */
import { createSandbox, freePort } from '../scenarios/sandbox.ts';
import type { TestEngine } from './engine.ts';

export interface Pairs {
  /** What went otherwise than it should, and everything that is left: containers, volumes, networks, processes. */
  readonly problems: readonly string[];
  /** Containers that ran at once; the proof is blind where it is not all of them. */
  readonly ran: number;
  /** Of each `up` and each `down`. */
  readonly upMs: readonly number[];
  readonly downMs: readonly number[];
}

/** `image` is the stand-in's. */
export async function playPairs(engine: TestEngine, image: string, count: number): Promise<Pairs> {
  const before = await listObjects(engine);
  const box = await createSandbox({ env: { DOCKER_HOST: engine.env['DOCKER_HOST'], DOCKER_CONFIG: engine.env['DOCKER_CONFIG'] } });
  const problems: string[] = [];
  const timed = async (...args: readonly string[]) => {
    const beganAt = performance.now();
    const { code, stderr } = await box.cli(...args);
    if (code !== 0) problems.push(`${args.slice(0, 2).join(' ')}: exit ${code}: ${stderr.trim().slice(-300)}`);
    return performance.now() - beganAt;
  };
  try {
    const first = await freePort(count);
    const names = Array.from({ length: count }, (_, index) => `pair-${index + 1}`);
    const shared = ['-p', 'tiny', '--yes', '--set', 'engine.backend=docker', '--set', `engine.image=${image}`, '--set', 'stop.drain=2s'];
    const upMs = await Promise.all(names.map((name, index) => timed('up', name, ...shared, '--set', `server.port=${first + index}`)));
    const ran = (await listObjects(engine)).filter((object) => object.startsWith('container') && !before.includes(object)).length;
    const downMs = await Promise.all(names.map((name) => timed('down', name)));
    const left = (await listObjects(engine)).filter((object) => !before.includes(object));
    return { problems: [...problems, ...left.map((object) => `left: ${object}`)], ran, upMs, downMs };
  } finally {
    await box.dispose();
  }
}

async function listObjects({ docker }: TestEngine): Promise<readonly string[]> {
  const listed = await Promise.all([
    docker('ps', '-a', '--format', 'container {{.Names}}'),
    docker('volume', 'ls', '--format', 'volume {{.Name}}'),
    docker('network', 'ls', '--format', 'network {{.Name}}'),
  ]);
  return listed.flatMap((text) => text.split('\n')).filter(Boolean);
}
