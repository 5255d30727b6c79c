import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DoctorSubject } from '../../src/doctor/check.ts';
import { networkChecks } from '../../src/doctor/checks/network.ts';
import type { Facts } from '../../src/plan/facts.ts';
import { createFakeMachine } from '../engine/fake-machine.ts';
import { openHub, toNobody } from '../host/fake-hub.ts';
import { createMachine, createSubject, type MachineParts, runCheck } from './stand-ins.ts';

const ask = (id: string, parts: MachineParts = {}) => runCheck(networkChecks, id, createMachine(parts));

describe('network.port', () => {
  const owner = { pid: 41, command: `python3 -m http.server ${'x'.repeat(60)}` };
  it.each<[string, Facts['port'], boolean, string, RegExp]>([
    ['free', { is: 'free' }, false, 'pass', /^127\.0\.0\.1:8000 is free$/],
    [
      'taken',
      { is: 'taken', owner, free: 8001 },
      false,
      'fail',
      /^127\.0\.0\.1:8000 is taken by process 41 \(python3 -m http\.server x+…\)$/,
    ],
    ['taken by somebody', { is: 'taken', free: 8001 }, false, 'fail', /is taken by a process of another user$/],
    ['taken by the deployment itself', { is: 'taken', owner, free: 8001 }, true, 'pass', /is held by this deployment$/],
    ['no address of ours', { is: 'bad-address' }, false, 'fail', /^127\.0\.0\.1 is no address of this machine$/],
    ['not for this user', { is: 'forbidden' }, false, 'fail', /^port 8000 may not be opened/],
  ])('%s', async (_, port, running, status, message) => {
    const subject = await createSubject('cpu', { facts: { port }, running });
    const answer = await ask('network.port', { subject });
    expect(answer).toMatchObject({ status, message: expect.stringMatching(message), needed: true });
    expect(answer.hint !== '').toBe(status === 'fail');
    const fix = { is: 'profile', set: { 'server.port': 8001 } };
    expect(answer.fix).toEqual(status === 'fail' && port.is === 'taken' ? fix : undefined);
  });

  it('is of no profile', async () => {
    expect(await ask('network.port')).toMatchObject({ status: 'skip', needed: false });
  });
});

describe('network.front', () => {
  it.each<[string, readonly string[], string, RegExp]>([
    ['for this machine', [], 'pass', /^only this machine can reach 127\.0\.0\.1$/],
    ['for IPv6 of this machine', ['server.host=::1'], 'pass', /^only this machine/],
    ['for everybody', ['server.host=0.0.0.0'], 'warn', /^others can reach 0\.0\.0\.0, and nobody is asked/],
    ['for those with a key', ['server.host=0.0.0.0', 'server.api-key=env:KEY'], 'pass', /asks for the API key$/],
  ])('%s', async (_, sets, status, message) => {
    const subject = await createSubject('cpu', { sets });
    expect(await ask('network.front', { subject })).toMatchObject({ status, message: expect.stringMatching(message) });
  });

  it('is of no profile', async () => {
    expect(await ask('network.front')).toMatchObject({ status: 'skip' });
  });
});

describe('network.proxy', () => {
  const proxy = 'http://me:secret@proxy:3128';
  it.each<[string, NodeJS.ProcessEnv, string, RegExp]>([
    ['none', {}, 'pass', /^no proxy is set$/],
    ['exceptions without a proxy', { no_proxy: 'box' }, 'pass', /^no proxy/],
    ['with this machine excepted', { http_proxy: proxy, no_proxy: 'localhost,127.0.0.1' }, 'pass', /^by proxy \(http_proxy\)/],
    ['with everything excepted', { HTTP_PROXY: proxy, NO_PROXY: '*' }, 'pass', /HTTP_PROXY/],
    ['with networks and ports', { HTTP_PROXY: proxy, NO_PROXY: '.localhost 127.0.0.0/8' }, 'pass', /HTTP_PROXY/],
    ['for https alone', { https_proxy: proxy }, 'pass', /https_proxy/],
    ['without exceptions', { HTTP_PROXY: proxy }, 'warn', /^HTTP_PROXY is set, and no_proxy lacks localhost, 127\.0\.0\.1$/],
    ['for all', { all_proxy: proxy, no_proxy: 'localhost' }, 'warn', /^all_proxy is set, and no_proxy lacks 127\.0\.0\.1$/],
    ['two that differ', { https_proxy: proxy, HTTPS_PROXY: 'http://other:1' }, 'warn', /^https_proxy and HTTPS_PROXY differ$/],
    ['exceptions that differ', { https_proxy: proxy, no_proxy: 'a', NO_PROXY: 'b' }, 'warn', /^no_proxy and NO_PROXY differ$/],
  ])('%s', async (_, env, status, message) => {
    const answer = await ask('network.proxy', { env });
    expect(answer).toMatchObject({ status, message: expect.stringMatching(message) });
    expect(JSON.stringify(answer)).not.toContain('secret');
  });

  it('keeps what is excepted already', async () => {
    const { fix } = await ask('network.proxy', { env: { http_proxy: proxy, no_proxy: 'box' } });
    const list = 'box,localhost,127.0.0.1';
    expect(fix).toEqual({ is: 'command', command: `export no_proxy=${list} NO_PROXY=${list}` });
  });
});

const toDownload = (...sets: readonly string[]): Promise<DoctorSubject> =>
  createSubject('cpu', { sets, facts: { model: { is: 'hub', cached: false } } });

describe('network.hub', () => {
  it.each<[string, number, NodeJS.ProcessEnv, string, RegExp]>([
    ['it has the model', 200, {}, 'pass', /^http:\/\/127\.0\.0\.1:\d+ has Qwen\/Qwen3-0\.6B$/],
    ['it sends on to the files', 307, {}, 'pass', /has Qwen/],
    ['it wants leave', 401, {}, 'fail', /does not hand out Qwen\/Qwen3-0\.6B without leave \(HTTP 401\)/],
    ['it is shown a token', 401, { HF_TOKEN: 'hf_good' }, 'pass', /has Qwen/],
    ['it has no such model', 404, {}, 'fail', /has no Qwen\/Qwen3-0\.6B$/],
    ['it is ill', 503, {}, 'fail', /refuses .* \(HTTP 503\)/],
  ])('%s', async (_, code, env, status, message) => {
    const HF_ENDPOINT = await openHub(code);
    const answer = await ask('network.hub', { env: { HF_ENDPOINT, ...env }, offline: false, subject: await toDownload() });
    expect(answer).toMatchObject({ status, message: expect.stringMatching(message), needed: true });
    expect(answer.hint !== '').toBe(status === 'fail');
    expect(JSON.stringify(answer)).not.toContain('hf_good');
  });

  it('asks the mirror that the profile names, with the token that it refers to', async () => {
    const mirror = await openHub(401);
    const subject = await toDownload(`engine.env.HF_ENDPOINT=${mirror}`, 'engine.env.HF_TOKEN=env:MINE');
    const env = { HF_ENDPOINT: await toNobody(), MINE: 'hf_good' };
    expect(await ask('network.hub', { env, offline: false, subject })).toMatchObject({ status: 'pass' });
  });

  it('says when nobody answers, unless a proxy would', async () => {
    const env = { HF_ENDPOINT: await toNobody() };
    const subject = await toDownload();
    const message = `${env.HF_ENDPOINT} does not answer: ECONNREFUSED`;
    expect(await ask('network.hub', { env, offline: false, subject })).toMatchObject({ status: 'fail', message });
    const proxied = { ...env, HTTPS_PROXY: 'http://proxy:1' };
    expect(await ask('network.hub', { env: proxied, offline: false, subject })).toMatchObject({ status: 'skip' });
  });

  it.each<[string, () => Promise<DoctorSubject | undefined>, MachineParts, string, RegExp]>([
    ['the model is here', () => createSubject('cpu'), {}, 'skip', /nothing has to be downloaded/],
    [
      'simulated',
      () => createSubject('demo', { facts: { backend: 'simulator', model: { is: 'hub', cached: false } } }),
      {},
      'skip',
      /nothing/,
    ],
    ['no profile', async () => undefined, {}, 'skip', /no profile/],
    ['offline', toDownload, {}, 'skip', /--offline/],
    ['switched off', toDownload, { env: { HF_HUB_OFFLINE: '1' } }, 'fail', /HF_HUB_OFFLINE=1 forbids/],
    ['another hub', toDownload, { offline: false, env: { VLLM_USE_MODELSCOPE: 'True' } }, 'skip', /ModelScope/],
  ])('asks nobody: %s', async (_, make, parts, status, message) => {
    const subject = await make();
    const env = { HF_ENDPOINT: await toNobody(), ...parts.env };
    const answer = await ask('network.hub', { ...parts, env, ...(subject ? { subject } : {}) });
    expect(answer).toMatchObject({ status, message: expect.stringMatching(message) });
  });
});

describe('network.token', () => {
  it.each<[string, NodeJS.ProcessEnv, string | undefined, number, string, RegExp]>([
    ['in the variable', { HF_TOKEN: 'hf_abc' }, undefined, 0, 'pass', /\(HF_TOKEN\)$/],
    ['in the usual file', {}, 'hf_abc\n', 0o600, 'pass', /\.cache\/huggingface\/token\)$/],
    ['for all to read', {}, 'hf_abc', 0o644, 'warn', /^other users of this machine can read the token \(/],
    ['for all to read, in a home of its own', {}, 'hf_abc', 0o664, 'pass', /token\)$/],
    ['with white space', { HF_TOKEN: 'hf_abc ' }, undefined, 0, 'warn', /white space/],
    ['empty', {}, '\n', 0o600, 'warn', /it is empty/],
    ['under its old name', { HUGGING_FACE_HUB_TOKEN: 'hf_abc' }, undefined, 0, 'warn', /old name/],
    ['none', {}, undefined, 0, 'skip', /need none$/],
  ])('%s', async (_, env, text, mode, status, message) => {
    const machine = createMachine({ env });
    const file = join(machine.env.HOME ?? '', '.cache/huggingface/token');
    mkdirSync(dirname(file), { recursive: true });
    if (text !== undefined) writeFileSync(file, text);
    if (text !== undefined) chmodSync(file, mode);
    if (mode === 0o644) for (const directory of [machine.cwd, dirname(machine.cwd)]) chmodSync(directory, 0o755);
    const answer = await runCheck(networkChecks, 'network.token', machine);
    expect(answer).toMatchObject({ status, message: expect.stringMatching(message) });
    expect(answer.hint !== '').toBe(status === 'warn');
    expect(JSON.stringify(answer)).not.toContain('hf_abc');
    expect(answer.fix).toEqual(mode === 0o644 ? { is: 'command', command: `chmod 600 ${file}` } : undefined);
  });

  it('goes where the variables point, and says what it could not read', async () => {
    const machine = createMachine();
    const file = join(machine.cwd, 'token');
    writeFileSync(file, 'hf_abc', { mode: 0o600 });
    const at = async (env: NodeJS.ProcessEnv, sets: readonly string[] = []) => {
      const subject = await createSubject('cpu', { sets });
      return runCheck(networkChecks, 'network.token', { ...machine, env: { ...machine.env, ...env }, subject });
    };
    expect(await at({ HF_HOME: machine.cwd })).toMatchObject({ status: 'pass', message: expect.stringContaining(file) });
    expect(await at({ HF_TOKEN_PATH: file })).toMatchObject({ status: 'pass' });
    expect(await at({}, [`engine.env.HF_TOKEN=file:${file}`])).toMatchObject({ status: 'pass' });
    expect(await at({}, ['engine.env.HF_TOKEN=env:MINE'])).toMatchObject({ status: 'warn', message: expect.stringMatching(/MINE/) });
    expect(await at({ HF_TOKEN_PATH: machine.cwd })).toMatchObject({ status: 'warn', message: expect.stringMatching(/EISDIR$/) });
  });
});

describe('network.index', () => {
  const toInstall = () => createSubject('cpu', { facts: { engines: [] } });
  it.each<[string, Parameters<typeof createFakeMachine>[0], NodeJS.ProcessEnv, string, RegExp]>([
    ['they have it', ['uv', 'python3'], {}, 'pass', /^vLLM 0\.32\.0 can be had from PyPI$/],
    ['they do not answer', ['uv', 'python3'], { FAKE_INSTALL: 'unreachable' }, 'fail', /^vLLM 0\.32\.0 cannot be had from PyPI$/],
    [
      'without a password',
      ['uv', 'python3'],
      { UV_DEFAULT_INDEX: 'https://me:secret@mirror/simple' },
      'pass',
      /from https:\/\/\*\*\*@mirror\/simple$/,
    ],
    ['nothing can ask', [], {}, 'skip', /could ask/],
    ['uv has no Python to ask for', ['uv'], {}, 'skip', /could ask/],
  ])('%s', async (_, tools, variables, status, message) => {
    const fake = await createFakeMachine(tools, variables);
    onTestFinished(() => fake.dispose());
    const answer = await ask('network.index', { env: fake.env, offline: false, subject: await toInstall() });
    expect(answer).toMatchObject({ status, message: expect.stringMatching(message), needed: true });
    expect(answer.hint !== '').toBe(status === 'fail');
  });

  it('does not take an installer that was ended for an answer', async () => {
    const fake = await createFakeMachine(['uv', 'python3'], { FAKE_INSTALL: 'unreachable' });
    onTestFinished(() => fake.dispose());
    const parts = { env: fake.env, offline: false, subject: await toInstall(), signal: AbortSignal.abort() };
    expect(await ask('network.index', parts)).toMatchObject({ status: 'skip' });
  });

  it.each<[string, () => Promise<DoctorSubject | undefined>, RegExp]>([
    ['an engine is there', () => createSubject('cpu'), /nothing has to be installed/],
    ['no profile', async () => undefined, /no profile/],
    ['offline', toInstall, /--offline/],
  ])('asks nobody: %s', async (_, make, message) => {
    const subject = await make();
    const answer = await ask('network.index', subject ? { subject } : {});
    expect(answer).toMatchObject({ status: 'skip', message: expect.stringMatching(message) });
  });
});
