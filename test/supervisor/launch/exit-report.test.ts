import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { addMemoryEvidence } from '../../../src/supervisor/launch/memory-evidence.ts';
import { observeExit } from '../../../src/supervisor/launch/work.ts';

const at = '2026-08-02T10:11:12.000Z';
let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-exit-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function observe(text: string, code: number, secrets: readonly string[] = []) {
  const file = join(directory, 'engine.log');
  await writeFile(file, text);
  return observeExit({ code }, file, { at, secrets });
}

it('a lasting failure comes with the change that would mend it', async () => {
  const line =
    "ValueError: The model's max seq len (40960) is larger than the maximum number of tokens that can be stored in KV cache (9000).";
  const { exit, permanent, signature } = await observe(`${line}\n`, 1);
  expect({ permanent, line: exit.line, diagnosis: exit.diagnosis }).toEqual({ permanent: true, line, diagnosis: 'kv_cache_too_small' });
  expect(exit.report?.remedies?.[0]?.set).toEqual({ 'vllm.max-model-len': 8992 });
  expect(signature).toContain('max seq len (<n>)');
});

it('what passes by itself has no signature, so that it is tried again', async () => {
  const { permanent, signature, exit } = await observe('OSError: [Errno 98] Address already in use\n', 1);
  expect({ permanent, signature, diagnosis: exit.diagnosis }).toEqual({ permanent: false, signature: undefined, diagnosis: 'port_in_use' });
});

it('what is not known has a line and no name', async () => {
  const { permanent, exit, signature } = await observe('RuntimeError: the key sesame-open does not fit\n', 1, ['sesame-open']);
  expect({ permanent, diagnosis: exit.diagnosis, cause: exit.report?.cause }).toEqual({
    permanent: false,
    diagnosis: undefined,
    cause: 'unknown',
  });
  expect(JSON.stringify({ exit, signature })).not.toContain('sesame-open');
  expect(exit.line).toContain('does not fit');
});

it('an end without words and with status 0 has nothing to tell', async () => {
  const { exit, permanent, signature } = await observe('', 0);
  expect({ exit, permanent, signature }).toEqual({ exit: { cause: 'exit', at, code: 0 }, permanent: false, signature: undefined });
});

it('memory that ran out takes the place of what the log says', async () => {
  const report = await observe('OSError: [Errno 98] Address already in use\n', 137);
  const { exit } = await addMemoryEvidence(report, {}, { outOfMemory: true, memory: { limitBytes: 2 ** 31, peakBytes: 2 ** 31 } });
  expect(exit).toMatchObject({ cause: 'oom', diagnosis: 'host_oom_killed', report: { cause: 'host_oom_killed', permanent: false } });
  expect(exit.report?.remedies?.[0]?.set).toEqual({ 'resources.memory': '2560MiB' });
});

it('a secret that a refused setting was given is nowhere in the report, its remedies included', async () => {
  const { exit } = await observe('vllm: error: unrecognized arguments: --sesame-open\n', 2, ['sesame-open']);
  expect(exit.report).toMatchObject({ cause: 'unknown_argument', remedies: expect.arrayContaining([expect.anything()]) });
  expect(JSON.stringify(exit)).not.toContain('sesame-open');
});
