import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readEngineList } from '../../src/operate/engine-list.ts';
import { exportImage } from '../../src/operate/export-image.ts';
import { installImage } from '../../src/operate/install-image.ts';
import { removeInstalled } from '../../src/operate/remove-image.ts';
import { createTestContext, type TestContext } from '../operate/context.ts';
import { startEngine, type TestEngine } from './engine.ts';

const run = promisify(execFile);
const reference = 'vllm/vllm-openai:v0.32.0';
let engine: TestEngine;
let home: string;
let context: TestContext;

beforeAll(async () => {
  engine = await startEngine();
  home = await mkdtemp(join(tmpdir(), 'qd-images-'));
  context = createTestContext(home, { env: { ...engine.env, HOME: home, QWEN_DEPLOY_HOME: join(home, 'home') } });
});
afterAll(async () => {
  await engine?.stop();
  await rm(home, { recursive: true, force: true });
});

const refusal = (work: Promise<unknown>) => work.then(() => undefined).catch((error) => error);

describe('images of a real Docker engine', () => {
  test('one that Docker has is taken as it is, with its version', async () => {
    await importImage(reference, 'first');
    const installed = await installImage({ version: '0.32.0' }, context);
    const id = (await engine.docker('image', 'inspect', '--format', '{{.Id}}', reference)).trim();
    expect(installed).toMatchObject({ how: 'here', images: [{ reference, id, version: '0.32.0', from: 'engine' }] });
  });

  test('a tag that was moved is noticed', async () => {
    await importImage(reference, 'second');
    expect(await refusal(installImage({ reference }, context))).toMatchObject({ code: 'engine/image-changed' });
    expect((await readEngineList(context)).images).toMatchObject([{ docker: 'changed' }]);
  });

  test('one that no registry gives says why, and what to do', async () => {
    const error = await refusal(installImage({ reference: 'registry.invalid/vllm:v0.32.0' }, context));
    expect(error).toMatchObject({ code: 'engine/image-unreachable', params: { reference: 'registry.invalid/vllm:v0.32.0' } });
  });

  test('goes into a file, away, and back from the file', async () => {
    const exported = await exportImage({ reference, out: 'image.tar' }, context);
    expect(exported).toMatchObject({ reference, engineVersion: '0.32.0', file: join(home, 'image.tar') });
    expect(await removeInstalled({ id: reference }, context)).toMatchObject({ kind: 'RemovedImage', id: exported.id, wasThere: true });
    expect((await engine.docker('images', '-q', reference)).trim()).toBe('');
    const loaded = await installImage({ from: 'image.tar' }, context);
    expect(loaded).toMatchObject({ how: 'loaded', images: [{ reference, id: exported.id, from: 'archive' }] });
    expect((await readEngineList(context)).images).toMatchObject([{ reference, docker: 'here' }]);
  });

  test('stays while a container of ours is made of it', async () => {
    const made = await engine.docker('create', '--label', 'qwen-deploy.instance=tiny', reference);
    expect(await refusal(removeInstalled({ id: reference }, context))).toMatchObject({
      code: 'engine/image-in-use',
      params: { first: 'tiny' },
    });
    await engine.docker('rm', made.trim());
    expect(await removeInstalled({ id: reference }, context)).toMatchObject({ wasThere: true });
  });

  test('what is no archive is refused', async () => {
    await writeFile(join(home, 'odd.tar'), 'not an archive');
    expect(await refusal(installImage({ from: 'odd.tar' }, context))).toMatchObject({ code: 'docker/bad-archive' });
    expect(await refusal(installImage({ from: 'none.tar' }, context))).toMatchObject({ exitStatus: 2 });
  });
});

/** A single file, and a label as vLLM's own images have it. */
async function importImage(name: string, content: string): Promise<void> {
  const root = join(home, 'root');
  await mkdir(root, { recursive: true });
  await writeFile(join(root, 'vllm'), content);
  await run('tar', ['-C', root, '-cf', join(home, 'root.tar'), '.']);
  const changes = ['--change', 'LABEL ai.vllm.image.tag=v0.32.0', '--change', 'ENTRYPOINT ["/vllm","serve"]'];
  await engine.docker('import', ...changes, join(home, 'root.tar'), name);
}
