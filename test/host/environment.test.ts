import { describe, expect, it } from 'vitest';
import { toEngineEnvironment } from '../../src/host/environment.ts';

describe('what an engine inherits', () => {
  it('is a list of what it needs: no keys of other tools, nothing that loads code or switches guards off', () => {
    const strays = {
      AWS_SECRET_ACCESS_KEY: 'a',
      GITHUB_TOKEN: 'b',
      NPM_TOKEN: 'c',
      SSH_AUTH_SOCK: '/d',
      OPENAI_API_KEY: 'e',
      PYTHONOPTIMIZE: '2',
      PYTHONPATH: '/f',
      PYTHONSTARTUP: '/g',
      LD_PRELOAD: '/h.so',
      VLLM_SERVER_DEV_MODE: '1',
      VLLM_API_KEY: 'i',
      VLLM_PORT: 'tcp://10.0.0.1:80',
      QWEN_DEPLOY_HOME: '/j',
    };
    expect(toEngineEnvironment({ ...strays, PATH: '/bin', HF_HOME: '/hub' })).toEqual({ PATH: '/bin', HF_HOME: '/hub' });
  });

  it('is the token of the hub for one that asks the hub, and not for one that does not', () => {
    const env = { PATH: '/bin', HF_TOKEN: 'hf_x', HF_TOKEN_PATH: '/t' };
    expect(toEngineEnvironment(env)).toEqual(env);
    expect(toEngineEnvironment(env, { offline: true })).toEqual({ PATH: '/bin' });
  });
});
