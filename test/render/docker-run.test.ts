import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { ContainerSpec } from '../../src/plan/launch-spec.ts';
import { renderDockerRun } from '../../src/render/docker-run.ts';
import { toPlainBody } from '../../src/runtime/docker/body.ts';
import { container, toSpec } from '../runtime/docker/stand-ins.ts';

interface Wish {
  readonly spec?: Parameters<typeof toSpec>[0];
  readonly container?: Partial<ContainerSpec>;
  readonly order?: Partial<Parameters<typeof renderDockerRun>[0]>;
}

function render({ spec, container: more, order }: Wish = {}): string {
  const body = toPlainBody({ spec: toSpec(spec), container: { ...container, ...more } });
  return renderDockerRun({ name: 'qwen-deploy-tiny', body, directories: [], secrets: {}, inherited: [], ...order });
}

/** The words that `docker` is given, by a real shell. */
function toWords(text: string, env: NodeJS.ProcessEnv = {}): readonly string[] {
  const script = `docker() { printf '%s\\0' "$@" "key is $VLLM_API_KEY"; }\n${text}`;
  return execFileSync('sh', ['-c', script], { env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);
}

describe('the line of docker run', () => {
  it('as text', async () => {
    const spec = {
      resources: { cpus: '0-3', memoryBytes: 2 ** 32, pids: 512, nofile: 4096 },
      env: { NOTE: "it's two words" },
      args: ['serve', 'Qwen/Qwen3-0.6B', '--port', '8000', '--served-model-name', 'a', 'b', '--chat-template', 'a $b\nc'],
    };
    const mounts = [...container.mounts, { source: '/models/it, "s', target: '/models/it, "s', readOnly: true }];
    const gpus = { by: 'nvidia', ids: ['GPU-1', 'GPU-2'] } as const;
    const order = {
      directories: ['/home/me/my cache'],
      secrets: { VLLM_API_KEY: 'env:MY_KEY', HF_TOKEN: 'file:/run/my secrets/token' },
      inherited: ['HTTPS_PROXY'],
    } as const;
    const text = render({ spec, container: { mounts, gpus, user: '1000:1000' }, order });
    await expect(text).toMatchFileSnapshot('../golden/render/docker-run.sh');
  });

  it('hands every word to Docker as it was meant', () => {
    const odd = ['', ' ', "'", '"', '$HOME', '`id`', 'a\nb', '\\', '~', '*', '--flag=a b', '#', '; false'];
    const words = toWords(render({ spec: { args: odd } }));
    expect(words.slice(-1 - odd.length, -1)).toEqual(odd);
  });

  it('says no secret: the shell that runs it gives it, and without it nothing is started', () => {
    const text = render({ order: { secrets: { VLLM_API_KEY: 'env:MY_KEY' } } });
    const words = toWords(text, { MY_KEY: 'k 1' });
    expect(words.at(-1)).toBe('key is k 1');
    expect(words.slice(0, -1).join()).not.toContain('k 1');
    expect(words[words.indexOf('VLLM_API_KEY') - 1]).toBe('--env');
    expect(() => toWords(text)).toThrow(/MY_KEY/);
    expect(() => toWords(text, { MY_KEY: '' })).toThrow(/MY_KEY/);
  });

  it('gives what the shell has, and takes nothing from the image that the shell lacks', () => {
    const text = render({ order: { inherited: ['HTTPS_PROXY', 'LANG'] } });
    expect(toWords(text, { HTTPS_PROXY: 'http://p' })).toContain('--env=HTTPS_PROXY');
    expect(toWords(text).join()).not.toMatch(/LANG|PROXY/);
  });

  it.each<[string, Wish, readonly string[]]>([
    ['an address of IPv6', { spec: { endpoint: { host: '::1', port: 9000 } } }, ['--publish', '[::1]:9000:8000/tcp']],
    ['GPUs by CDI', { container: { gpus: { by: 'cdi', ids: ['GPU-1'] } } }, ['--device', 'nvidia.com/gpu=GPU-1']],
    [
      'GPUs by the runtime',
      { container: { gpus: { by: 'nvidia', ids: ['0', '1'] } } },
      ['--gpus', 'driver=nvidia,"device=0,1","capabilities=compute,utility"'],
    ],
    ['no swap', { spec: { resources: { memoryBytes: 5 } } }, ['--memory', '5', '--memory-swap', '5']],
    ['a user', { container: { user: '1:2' } }, ['--user', '1:2']],
  ])('%s', (_, wish, expected) => {
    const words = toWords(render(wish));
    const at = words.indexOf(expected[0] ?? '');
    expect(words.slice(at, at + expected.length)).toEqual(expected);
  });

  it('makes directories first', () => {
    expect(render({ order: { directories: ['/a b'] } }).split('\n')[0]).toBe("mkdir -p -m 700 '/a b'");
  });

  it('carries no mark of ours: by hand it is nobody’s launch', () => {
    expect(render()).not.toMatch(/--label|LAUNCH_ID/);
  });
});
