import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { say } from '../../src/core/message.ts';
import type { CheckResult, CheckStatus, Fix } from '../../src/doctor/check.ts';
import { applyChange, planFixes } from '../../src/doctor/fix.ts';
import { undoProfileEdit } from '../../src/doctor/profile-edit.ts';
import { toSetWords } from '../../src/doctor/set-words.ts';
import { toEditedProfile } from '../../src/profile/edit.ts';
import { loadProfile } from '../../src/profile/load.ts';
import { toText } from '../../src/text/render.ts';
import { createMachine, type StandInMachine } from './stand-ins.ts';

const now = new Date('2026-11-21T10:11:12.345Z');

function toResult(fix: Fix, status: CheckStatus = 'warn', id = 'host.places'): CheckResult {
  return { id, group: 'host', status, message: say('doctor.status.warn'), needed: false, fix };
}

function plan(machine: StandInMachine, ...results: readonly CheckResult[]) {
  return planFixes(results, { places: machine.places, now });
}

describe('places', () => {
  test('a directory of ours is made, with the mode, and its parents', async () => {
    const machine = createMachine();
    const path = join(machine.places.state, 'deployments');
    const { changes, advice } = await plan(machine, toResult({ is: 'directory', path, mode: 0o700 }));
    expect({ changes, advice }).toEqual({ changes: [{ is: 'directory', ids: ['host.places'], path, mode: 0o700 }], advice: [] });
    expect(existsSync(path)).toBe(false);
    for (const change of changes) await applyChange(change);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(machine.places.state).mode & 0o777).toBe(0o700);
    for (const change of changes) await applyChange(change);
  });

  test('a mode is changed', async () => {
    const machine = createMachine();
    mkdirSync(machine.places.data, { recursive: true });
    chmodSync(machine.places.data, 0o777);
    const { changes } = await plan(machine, toResult({ is: 'mode', path: machine.places.data, mode: 0o700 }));
    for (const change of changes) await applyChange(change);
    expect(statSync(machine.places.data).mode & 0o777).toBe(0o700);
  });

  test.each<[string, (machine: StandInMachine) => string, RegExp]>([
    ['outside', () => '/etc/passwd', /outside of our own/],
    ['beside', ({ places }) => `${places.state}-other`, /outside of our own/],
    ['with dots', ({ places }) => `${places.state}/../../../etc/passwd`, /outside of our own/],
    ['of a name in them alone', ({ places }) => places.state.slice(1), /outside of our own/],
    [
      'that is a link',
      ({ places }) => {
        mkdirSync(places.state, { recursive: true });
        symlinkSync('/etc/passwd', join(places.state, 'x'));
        return join(places.state, 'x');
      },
      /x is a link/,
    ],
    [
      'behind a link',
      ({ places }) => {
        mkdirSync(places.state, { recursive: true });
        symlinkSync('/etc', join(places.state, 'deployments'));
        return join(places.state, 'deployments/passwd');
      },
      /deployments is a link/,
    ],
  ])('a path %s is not touched', async (_, toPath, why) => {
    const machine = createMachine();
    const { changes, advice } = await plan(machine, toResult({ is: 'mode', path: toPath(machine), mode: 0o777 }));
    expect(changes).toEqual([]);
    expect(advice.map(({ text }) => toText(text))).toEqual([expect.stringMatching(why)]);
  });

  test('a link that comes after the look is not followed', async () => {
    const { places } = createMachine();
    mkdirSync(places.state, { recursive: true });
    const target = join(places.state, 'target');
    writeFileSync(target, '', { mode: 0o600 });
    const path = join(places.state, 'x');
    symlinkSync(target, path);
    await expect(applyChange({ is: 'mode', ids: [], path, mode: 0o644 })).rejects.toMatchObject({
      code: 'host/not-written',
      params: { problem: 'ELOOP' },
    });
    expect(statSync(target).mode & 0o777).toBe(0o600);
  });
});

test('commands are told, never run; what is well needs nothing', async () => {
  const machine = createMachine();
  const command: Fix = { is: 'command', command: 'touch /tmp/x' };
  const { changes, advice } = await plan(machine, toResult(command, 'fail'), toResult(command, 'pass'), toResult(command, 'skip'));
  expect(changes).toEqual([]);
  expect(advice).toEqual([{ id: 'host.places', text: say('doctor.fix.command', { command: 'touch /tmp/x' }) }]);
  expect(machine.calls).toEqual([]);
});

const text = `# the 4B for the search team
extends: base/cpu   # no GPU there
model: Qwen/Qwen3-0.6B

vllm:
  max-model-len: 4096   # half of what it could
server: {host: 127.0.0.1, port: 8000}
`;

async function createProfile(content = text) {
  const machine = createMachine();
  const file = join(machine.cwd, 'mine.yaml');
  writeFileSync(file, content, { mode: 0o640 });
  const profile = await loadProfile(file, { places: machine.places, cwd: machine.cwd, sets: [] });
  const planSets = (...sets: readonly Readonly<Record<string, unknown>>[]) =>
    planFixes(
      sets.map((set, index) => toResult({ is: 'profile', set }, 'fail', `host.${index}`)),
      { places: machine.places, profile, now },
    );
  return { machine, file, planSets };
}

describe('settings of a profile', () => {
  test('are changed in one go; comments stay, the file as it was is kept, and it can be put back', async () => {
    const { file, machine, planSets } = await createProfile();
    const { changes, advice } = await planSets({ 'server.port': 8001 }, { 'vllm.max-model-len': 2048, 'vllm.max-num-seqs': 4 });
    expect(advice).toEqual([]);
    expect(changes).toMatchObject([
      {
        is: 'profile',
        ids: ['host.0', 'host.1'],
        file,
        settings: [
          { path: 'server.port', from: 8000, to: 8001 },
          { path: 'vllm.max-model-len', from: 4096, to: 2048 },
          { path: 'vllm.max-num-seqs', from: undefined, to: 4 },
        ],
      },
    ]);
    const [change] = changes;
    if (change?.is !== 'profile') throw new Error('no change');
    await applyChange(change);
    expect(readFileSync(file, 'utf8')).toBe(
      text
        .replace('port: 8000', 'port: 8001')
        .replace('4096   # half', '2048 # half')
        .replace('extends: base/cpu   #', 'extends: base/cpu #')
        .replace('could\n', 'could\n  max-num-seqs: 4\n'),
    );
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readdirSync(machine.cwd).filter((name) => name.startsWith('mine'))).toEqual(['mine.yaml', 'mine.yaml.bak-20261121T101112']);
    await undoProfileEdit(change);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('that stand there already are no change', async () => {
    const { planSets } = await createProfile();
    expect(await planSets({ 'server.port': 8000 })).toEqual({ changes: [], advice: [] });
  });

  test('a shipped profile stays as it is', async () => {
    const machine = createMachine();
    const profile = await loadProfile('tiny', { places: machine.places, cwd: machine.cwd, sets: [] });
    const fix: Fix = { is: 'profile', set: { 'server.port': 8001, 'vllm.compilation-config': { mode: 3 } } };
    const { changes, advice } = await planFixes([toResult(fix, 'fail')], { places: machine.places, profile, now });
    expect(changes).toEqual([]);
    expect(advice.map(({ text: words }) => toText(words))).toEqual([
      `tiny is a shipped profile and stays as it is; use --set server.port=8001 --set 'vllm.compilation-config={"mode":3}'`,
    ]);
  });

  test('a text stands where a map would have to be', async () => {
    const { planSets, file } = await createProfile('extends: base/cpu\nmodel: Qwen/Qwen3-0.6B\n');
    const { changes, advice } = await planSets({ 'model.revision': 'main' });
    expect(changes).toEqual([]);
    expect(advice.map(({ text: words }) => toText(words))).toEqual([expect.stringContaining(`${file} cannot be changed piece by piece`)]);
  });
});

describe('editing', () => {
  test.each([
    ['a value goes', 'a: 1\nb: {c: 2}\n', { 'b.c': null }, 'a: 1\nb: {}\n'],
    ['a block comes', '# x\nmodel: m\n', { 'server.port': 1 }, '# x\nmodel: m\nserver:\n  port: 1\n'],
    ['names of vLLM are one key', 'vllm: {}\n', { 'vllm.compilation-config.mode': 3 }, 'vllm: {compilation-config.mode: 3}\n'],
    ['wide brackets stay wide', 'a: { b: 1 }\n', { 'a.b': 2 }, 'a: { b: 2 }\n'],
    ['flat lists stay flat', 'a:\n- b\nc: 1\n', { c: 2 }, 'a:\n- b\nc: 2\n'],
    ['deep lists stay deep', 'a:\n  - b\nc: 1\n', { c: 2 }, 'a:\n  - b\nc: 2\n'],
    ['long lines stay long', `a: ${'word '.repeat(40)}end\nc: 1\n`, { c: 2 }, `a: ${'word '.repeat(40)}end\nc: 2\n`],
    ['text that YAML would read otherwise', 'a: x\n', { a: 'off' }, 'a: off\n'],
  ])('%s', (_, before, set, after) => {
    expect(toEditedProfile(before, set, 'f.yaml').text).toBe(after);
  });

  test('quoted for a shell where it must be', () => {
    expect(toSetWords({ 'a.b': 1, c: "it's", d: ['x'] })).toBe(`--set a.b=1 --set 'c=it'\\''s' --set 'd=["x"]'`);
  });
});
