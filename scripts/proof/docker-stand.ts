/** Stands whose engine is a container: one Docker engine of the proof's own for all of them. */
import { startNetworkedEngine, type TestEngine } from '../../test/docker/engine.ts';
import { importStandIn } from '../../test/docker/images.ts';
import { openStand, type Stand, type StandOptions } from './lib/stand.ts';
import { undoOnSignal } from './lib/undo.ts';

export interface DockerPlace {
  readonly engine: TestEngine;
  /** Of the stand-in. */
  readonly image: string;
  readonly open: (options: StandOptions) => Promise<Stand>;
  readonly close: () => Promise<void>;
}

const image = 'qwen-deploy-stand-in:v0.32.0';
/** As with a stand of processes. */
const env = { FAKE_VLLM_LIFETIME_MS: String(6 * 3_600_000), QWEN_DEPLOY_SIMULATED_TOKEN_MS: '20' };

export async function openDockerPlace(): Promise<DockerPlace> {
  const engine = await startNetworkedEngine();
  const forget = undoOnSignal(engine.stop);
  await importStandIn(engine, image);
  return { engine, image, open: (options) => openOn(engine, options), close: () => engine.stop().finally(forget) };
}

function openOn(engine: TestEngine, { faults = '', sets = [] }: StandOptions): Promise<Stand> {
  return openStand({
    // Nothing of this machine's own stands for vLLM: the image's is what runs.
    real: true,
    sets: ['engine.backend=docker', `engine.image=${image}`, `engine.env=${JSON.stringify({ ...env, FAKE_VLLM: faults })}`, ...sets],
    sandbox: { env: { DOCKER_HOST: engine.env['DOCKER_HOST'], DOCKER_CONFIG: engine.env['DOCKER_CONFIG'] } },
  });
}
