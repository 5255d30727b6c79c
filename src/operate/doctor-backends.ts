/** Where an engine could be run: what `engine.backend` has to choose from. */
import { say } from '../core/message.ts';
import type { BackendFact, Backends } from '../doctor/report.ts';
import { listEngines } from '../engine/installed.ts';
import { findOnPath } from '../engine/path.ts';
import type { Context } from './context.ts';
import type { World } from './doctor-world.ts';

export async function readBackends({ docker, elsewhere }: World, context: Context): Promise<Backends> {
  const simulator = { available: true, why: say('doctor.backend.simulator') };
  if (elsewhere !== undefined) {
    const unknown = { available: false, why: say('doctor.elsewhere', { what: elsewhere }) };
    return { process: unknown, docker: unknown, simulator };
  }
  return { process: await readProcess(context), docker: toDocker(await docker()), simulator };
}

async function readProcess({ places, env }: Context): Promise<BackendFact> {
  const engines = await listEngines(places);
  if (engines.length > 0)
    return { available: true, why: say('doctor.backend.installed', { engines: engines.map(({ id }) => id).join(', ') }) };
  const program = await findOnPath('vllm', env);
  if (program) return { available: true, why: say('doctor.backend.on-path', { program }) };
  const found = (await Promise.all(['uv', 'python3'].map((name) => findOnPath(name, env)))).find((path) => path !== undefined);
  return found === undefined
    ? { available: false, why: say('doctor.backend.no-python') }
    : { available: true, why: say('doctor.backend.to-install', { program: found }) };
}

function toDocker(docker: Awaited<ReturnType<World['docker']>>): BackendFact {
  switch (docker.is) {
    case 'present':
      return { available: true, why: say('doctor.backend.docker', { version: docker.version, socket: docker.socket }) };
    case 'absent':
      return { available: false, why: say('doctor.backend.no-docker', { socket: docker.socket }) };
    default:
      return { available: false, why: say('doctor.backend.docker-problem', { socket: docker.socket, problem: docker.problem }) };
  }
}
