import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { checkInstallable } from '../../src/engine/installable.ts';
import { observePythons } from '../../src/engine/python.ts';
import { observeUv } from '../../src/engine/uv.ts';
import { compareVersions } from '../../src/engine/version.ts';
import { createFakeMachine, type FakeMachine } from './fake-machine.ts';

const machines: FakeMachine[] = [];
async function machineWith(...given: Parameters<typeof createFakeMachine>): Promise<FakeMachine> {
  const machine = await createFakeMachine(...given);
  machines.push(machine);
  return machine;
}
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.dispose();
});

describe('whether vLLM could be installed', () => {
  it.each([
    ['uv and Python', ['uv', 'python3'], {}, 'ok'],
    ['Python alone', ['python3'], {}, 'ok'],
    ['uv alone', ['uv'], {}, 'ok'],
    ['nothing', [], {}, 'engine/no-python'],
    ['an old Python', ['python3'], { FAKE_PYTHON: '3.10.14' }, 'engine/no-python'],
    ['a bare Python', ['python3'], { FAKE_PYTHON_LACKS: 'venv pip' }, 'engine/no-venv'],
    ['an uv that is too old, and no Python', ['uv'], { FAKE_UV_VERSION: '0.5.1' }, 'engine/no-python'],
    ['no index', ['uv', 'python3'], { FAKE_INSTALL: 'unreachable' }, 'engine/no-index'],
  ] as const)('%s: %s', async (_, tools, variables, expected) => {
    const machine = await machineWith(tools, variables);
    const answer = await checkInstallable('cpu', '0.32.0', machine);
    expect(answer.ok ? 'ok' : answer.error.code).toBe(expected);
    expect(existsSync(machine.places.data)).toBe(false);
  });

  it('no disk space', async () => {
    const machine = await machineWith(['uv', 'python3']);
    expect(await checkInstallable('cpu', '0.32.0', { ...machine, readFreeBytes: async () => 1e9 })).toMatchObject({
      ok: false,
      error: { code: 'host/disk-full' },
    });
  });
});

it('takes one interpreter under two names for one, and a shim that does not run for none', async () => {
  const machine = await machineWith(['python3', 'uv']);
  expect(await observePythons(machine.env)).toMatchObject([{ version: '3.11.9', suits: true, venv: true, pip: true }]);
  const lacking = { ...machine.env, FAKE_PYTHON: 'not json"' };
  expect(await observePythons(lacking)).toMatchObject([{ suits: false }]);
});

it('takes a Python that uv keeps off PATH', async () => {
  const machine = await machineWith(['uv'], { FAKE_UV_PYTHON: '/managed/python3.13' });
  expect(await observeUv(machine.env)).toMatchObject({ version: '0.13.8', python: '/managed/python3.13' });
});

it.each([
  ['0.9.2', '0.32.0', -1],
  ['0.32.0', '0.32.0', 0],
  ['0.32', '0.32.0', 0],
  ['1.0', '0.99.9', 1],
  ['0.6.10', '0.6.9', 1],
])('version %s against %s', (a, b, expected) => {
  expect(Math.sign(compareVersions(a, b))).toBe(expected);
});
