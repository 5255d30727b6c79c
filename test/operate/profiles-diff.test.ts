import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diffProfiles } from '../../src/operate/profiles-diff.ts';
import { toText } from '../../src/text/render.ts';
import { createTestContext } from './context.ts';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'diff-'));
  await mkdir(join(home, 'profiles'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const put = (name: string, text: string) => writeFile(join(home, 'profiles', `${name}.yaml`), text);

async function diff(a: string, b: string, ...sets: readonly string[]) {
  const { differences } = await diffProfiles({ a, b, sets }, createTestContext(home));
  return differences.map(({ meaning: _, ...rest }) => rest);
}

describe('diffProfiles', () => {
  it('finds nothing between a profile and itself, however it is written', async () => {
    await put('a', 'model: m\nstop: {drain: 1m}\nserver: {port: 8000}\nresources: {memory: 8192MiB}\nvllm: {max-num-seqs: 8}\n');
    await put('b', 'extends: c\ndescription: another\nvllm: {max-num-seqs: 8}\n');
    await put('c', 'model: {id: m}\nstop: {drain: 60s}\nresources: {memory: 8GiB}\nvllm: {max-num-seqs: 9}\n');
    expect(await diff('a', 'b')).toEqual([]);
  });

  it('names each setting as one writes it, with both values, or one where the other is not set', async () => {
    await put('a', 'model: m\nvllm: {max-num-seqs: 8, compilation-config: {mode: 3}}\nengine: {env: {A: "1"}}\nstop: {drain: 10s}\n');
    await put(
      'b',
      'model: m\nvllm: {compilation-config: {mode: 0}}\nserver: {api-key: env:KEY}\nresources: {shm: 2GiB}\nhealth: {interval: 1500ms}\nlora: {MyOwn: {path: a/b, base-model: m}}\nreplicas: 2\n',
    );
    expect(await diff('a', 'b')).toEqual([
      { path: 'engine.env.A', from: '1' },
      { path: 'vllm.max-num-seqs', from: 8 },
      { path: 'vllm.compilation-config.mode', from: 3, to: 0 },
      { path: 'health.interval', from: '5s', to: '1500ms' },
      { path: 'stop.drain', from: '10s', to: '30s' },
      { path: 'replicas', from: 1, to: 2 },
      { path: 'resources.shm', to: '2GiB' },
      { path: 'server.api-key', to: 'env:KEY' },
      { path: 'lora.MyOwn.path', to: 'a/b' },
      { path: 'lora.MyOwn.base-model', to: 'm' },
    ]);
  });

  it('shows what --set would change in the second one', async () => {
    expect(await diff('tiny', 'tiny', 'vllm.max-num-seqs=32')).toEqual([{ path: 'vllm.max-num-seqs', from: 8, to: 32 }]);
  });

  it('says what a difference means, where that is known', async () => {
    await put('a', 'model: m\n');
    await put(
      'b',
      'model: m\nvllm: {max-num-seqs: 8, aggregate-engine-logging: true}\nserver: {port: 9}\nlabels: {a.b: c}\nlora: {x: a/b}\n',
    );
    const { differences } = await diffProfiles({ a: 'a', b: 'b', sets: [] }, createTestContext(home));
    const meanings = new Map(differences.map(({ path, meaning }) => [path, meaning && toText(meaning)]));
    expect(meanings.get('vllm.max-num-seqs')).toContain('Requests at work at once');
    expect(meanings.get('server.port')).toContain('TCP port');
    expect(meanings.get('labels.a.b')).toContain('notes');
    expect(meanings.get('lora.x.path')).toContain('adapter');
    expect(meanings.get('vllm.aggregate-engine-logging')).toBeUndefined();
  });

  it('refuses what cannot be resolved', async () => {
    await put('a', 'model: m\nserver: {prot: 1}\n');
    await expect(diff('tiny', 'a')).rejects.toMatchObject({ code: 'profile/invalid', exitStatus: 3 });
    await expect(diff('tiny', 'nowhere')).rejects.toMatchObject({ code: 'profile/unknown', exitStatus: 6 });
  });
});
