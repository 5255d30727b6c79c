import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../../src/commands/cli.ts';
import { createFakeHost } from './fake-host.ts';

describe('engine install', () => {
  test('image --dry-run says what would be fetched, and fetches nothing', async () => {
    const { status, stdout } = await read('engine install image --engine-version 0.32.0 --dry-run');
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'docker pull vllm/vllm-openai:v0.32.0\n' });
    const json = await read('engine install image mine:dev --dry-run -o json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      kind: 'ImagePlan',
      version: 1,
      reference: 'mine:dev',
      argv: ['docker', 'pull', 'mine:dev'],
    });
  });

  test.each([
    ['engine install image --from a.tar --update', '--from and --update exclude each other'],
    ['engine install cpu --from a.tar', '--from is for "engine install image" alone.'],
    ['engine install gpu --update', '--update is for "engine install image" alone.'],
    ['engine install cpu --variant gpu', '--variant is for "engine install image" alone.'],
    ['engine install cpu vllm/vllm-openai:v0.32.0', 'Only "engine install image" takes the name of an image'],
    ['engine install image mine:dev --variant cpu', 'mine:dev is chosen already'],
    ['engine export mine:dev --variant cpu --out a.tar', 'mine:dev is chosen already'],
    ['engine install image --variant rocm', '--variant "rocm" is none of cpu, gpu.'],
    ['engine install imag', 'Did you mean image?'],
    ['engine export', '--out'],
  ])('%s', async (line, said) => {
    const { status, stderr } = await read(line);
    expect(status).toBe(2);
    expect(stderr).toContain(said);
  });
});

async function read(line: string) {
  const host = createFakeHost();
  const status = await runCommandLine(line.split(' '), host);
  return { status, ...host.printed };
}
