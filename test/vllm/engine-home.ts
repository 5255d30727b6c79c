/** Where the engine was installed by `qwen-deploy engine install cpu` (see .ci/run). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const engineHome = process.env.QWEN_DEPLOY_TEST_ENGINE_HOME ?? '';

export const engines = join(engineHome, 'data/engines');
export const python = join(engines, 'cpu-0.32.0/venv/bin/python');

if (!existsSync(python)) {
  throw new Error(`no engine in QWEN_DEPLOY_TEST_ENGINE_HOME=${engineHome}: QWEN_DEPLOY_HOME=DIR node dist/main.js engine install cpu`);
}
