import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toCreateBody } from '../../../src/runtime/docker/body.ts';
import { toContainerName } from '../../../src/runtime/docker/labels.ts';
import { secretsTarget, withSecrets, writeSecrets } from '../../../src/runtime/docker/secrets.ts';
import { container, launchId, toRecord, toSpec } from './stand-ins.ts';

const record = toRecord('/state');

describe('the container of a launch', () => {
  it('is stopped and restarted by nobody but us, and can always be stopped', () => {
    const { HostConfig, StopTimeout } = toCreateBody({ deployment: 'tiny', spec: toSpec(), container, record });
    expect(HostConfig).toMatchObject({ Init: true, RestartPolicy: { Name: 'no' }, AutoRemove: false });
    expect(StopTimeout).toBe(45);
  });

  it('is known by labels, and named after its deployment and launch', () => {
    const { Labels } = toCreateBody({ deployment: 'tiny', spec: toSpec(), container, record });
    expect(Labels).toEqual({
      'qwen-deploy.instance': 'tiny',
      'qwen-deploy.launch-id': launchId,
      'qwen-deploy.config-hash': '0123456789abcdef',
      'qwen-deploy.schema': '1',
    });
    expect(toContainerName('tiny', record)).toBe('qwen-deploy-tiny-00000000abcd');
  });

  it('listens where the endpoint is and nowhere else', () => {
    const { HostConfig, ExposedPorts } = toCreateBody({ deployment: 'tiny', spec: toSpec(), container, record });
    expect(HostConfig.PortBindings).toEqual({ '8000/tcp': [{ HostIp: '127.0.0.1', HostPort: '8000' }] });
    expect(ExposedPorts).toEqual({ '8000/tcp': {} });
  });

  it('may do as little as it needs', () => {
    const { HostConfig } = toCreateBody({ deployment: 'tiny', spec: toSpec(), container, record });
    expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] });
    expect(Object.keys(HostConfig.Tmpfs ?? {})).toEqual(['/tmp', '/run']);
    expect(HostConfig.PidsLimit).toBe(16_384);
    expect(HostConfig.Ulimits).toEqual([{ Name: 'core', Soft: 0, Hard: 0 }]);
  });

  it('has the caps of the plan, and no swap', () => {
    const spec = toSpec({ resources: { cpus: '0-3', memoryBytes: 2 ** 32, pids: 512, nofile: 4096 } });
    const { HostConfig } = toCreateBody({ deployment: 'tiny', spec, container, record });
    expect(HostConfig).toMatchObject({ CpusetCpus: '0-3', Memory: 2 ** 32, MemorySwap: 2 ** 32, PidsLimit: 512, ShmSize: 2 ** 31 });
    expect(HostConfig.Ulimits).toContainEqual({ Name: 'nofile', Soft: 4096, Hard: 4096 });
  });

  it.each([
    ['nvidia', { Driver: 'nvidia', DeviceIDs: ['GPU-1'], Capabilities: [['gpu', 'compute', 'utility']] }],
    ['cdi', { Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=GPU-1'] }],
  ] as const)('gets its GPUs by %s', (by, request) => {
    const { HostConfig } = toCreateBody({
      deployment: 'x',
      spec: toSpec(),
      container: { ...container, gpus: { by, ids: ['GPU-1'] } },
      record,
    });
    expect(HostConfig.DeviceRequests).toEqual([request]);
  });

  it('has no device request without GPUs', () => {
    expect(toCreateBody({ deployment: 'x', spec: toSpec(), container, record }).HostConfig.DeviceRequests).toBeUndefined();
  });

  it('begins with a shell that reads the secrets, where there are any', () => {
    const plain = toCreateBody({ deployment: 'x', spec: toSpec(), container, record });
    expect([...plain.Entrypoint, ...plain.Cmd]).toEqual(['vllm', 'serve', 'Qwen/Qwen3-0.6B', '--port', '8000']);
    const secret = toCreateBody({ deployment: 'x', spec: toSpec(), container, record, secretsFile: '/state/exit.json.env' });
    expect(secret.Entrypoint).toEqual(['/bin/sh']);
    expect(secret.Cmd.slice(2)).toEqual(['vllm', 'serve', 'Qwen/Qwen3-0.6B', '--port', '8000']);
    expect(secret.HostConfig.Mounts).toContainEqual({
      Type: 'bind',
      Source: '/state/exit.json.env',
      Target: secretsTarget,
      ReadOnly: true,
    });
  });
});

describe('the file of secrets', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'qd-secrets-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('gives a shell exactly what it was given, and nobody else may read it', async () => {
    const path = join(directory, 'env');
    const secrets = { PLAIN: 'abc', QUOTED: `it's "$HOME" \`id\` \\ $(id)`, LINES: 'a\nb', EMPTY: '' };
    await writeSecrets(path, secrets);
    expect((await stat(path)).mode & 0o777).toBe(0o400);
    const [, , shell = ''] = withSecrets([]);
    const print = 'process.stdout.write(JSON.stringify(process.env))';
    const output = execFileSync('/bin/sh', ['-c', shell.replaceAll(secretsTarget, path), process.execPath, '-e', print], {
      env: { PATH: process.env['PATH'] },
      encoding: 'utf8',
    });
    expect(JSON.parse(output)).toMatchObject(secrets);
  });
});
