import { expect, test } from 'vitest';
import { DeployError } from '../../src/core/error.ts';
import { say } from '../../src/core/message.ts';
import { writeError } from '../../src/views/error.ts';
import { createScreen } from './samples.ts';

const options = { debug: false, version: '1.2.3' };

const invalid = DeployError.of(
  'profile/invalid',
  { source: 'mine.yaml', count: 2 },
  {
    findings: [
      {
        code: 'profile/unknown-flag',
        severity: 'error',
        message: say('views.no-deployments'),
        hint: say('views.no-engines'),
        path: 'vllm.max-len',
        file: 'mine.yaml',
        line: 4,
        column: 3,
      },
      { code: 'profile/odd', severity: 'warning', message: say('views.no-deployments'), path: 'server.port' },
    ],
  },
);

const failed = DeployError.of(
  'engine/failed',
  { name: 'tiny', line: 'ValueError: no' },
  {
    diagnosis: {
      cause: 'kv_cache_too_small',
      title: say('views.no-deployments'),
      permanent: true,
      confidence: 'sure',
      evidence: [1, 2, 3, 4].map((line) => ({ line, text: `line ${line}` })),
    },
  },
);

const wall = DeployError.of('ask/refused', {
  name: 'x',
  problem: Array.from({ length: 200 }, (_, line) => `${line} ${'x'.repeat(900)}`).join('\n'),
});

test('errors as text', async () => {
  const texts = (['tty', 'plain'] as const).flatMap((mode) =>
    [invalid, failed, DeployError.of('deployment/none', {})].map((error) => {
      const { screen, printed } = createScreen(mode);
      writeError(error, screen, options);
      expect(printed.out).toBe('');
      return printed.err;
    }),
  );
  await expect(texts.join('\n')).toMatchFileSnapshot('../golden/errors/forms.txt');
});

test('never a wall of text', () => {
  const { screen, printed } = createScreen('plain');
  writeError(wall, screen, options);
  expect(printed.err.split('\n').length).toBeLessThan(12);
  expect(Math.max(...printed.err.split('\n').map((line) => line.length))).toBeLessThan(450);
});

test('many findings are counted, not all shown', () => {
  const { screen, printed } = createScreen('plain');
  const findings = Array.from({ length: 40 }, () => ({ code: 'a/b', severity: 'error' as const, message: say('views.no-deployments') }));
  writeError(DeployError.of('deployment/none', {}, { findings }), screen, options);
  expect(printed.err.match(/\(a\/b\)/g)).toHaveLength(12);
  expect(printed.err).toContain('… and 28 more');
});

test('the Error document', () => {
  const { screen, printed } = createScreen('json');
  expect(writeError(invalid, screen, options)).toBe(3);
  expect(printed.err).toBe('');
  expect(JSON.parse(printed.out)).toEqual({
    kind: 'Error',
    version: 1,
    code: 'profile/invalid',
    message: 'The profile mine.yaml cannot be used (problems: 2).',
    hint: expect.stringContaining('profiles show'),
    exitStatus: 3,
    params: { source: 'mine.yaml', count: 2 },
    findings: [
      {
        code: 'profile/unknown-flag',
        severity: 'error',
        message: 'There is no deployment. qwen-deploy up starts one.',
        hint: expect.stringContaining('No engine is installed'),
        path: 'vllm.max-len',
        file: 'mine.yaml',
        line: 4,
        column: 3,
      },
      { code: 'profile/odd', severity: 'warning', message: 'There is no deployment. qwen-deploy up starts one.', path: 'server.port' },
    ],
  });
});

test('a diagnosis goes with the document', () => {
  const { screen, printed } = createScreen('json');
  expect(writeError(failed, screen, options)).toBe(5);
  expect(JSON.parse(printed.out).diagnosis).toMatchObject({
    kind: 'Diagnosis',
    version: 1,
    cause: 'kv_cache_too_small',
    title: 'There is no deployment. qwen-deploy up starts one.',
  });
});

test('the exit status of an interruption wins', () => {
  const { screen, printed } = createScreen('json');
  expect(writeError(failed, screen, { ...options, exitStatus: 130 })).toBe(130);
  expect(JSON.parse(printed.out).exitStatus).toBe(130);
});
