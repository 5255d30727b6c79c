import { expect, test } from 'vitest';
import { readGlobals } from '../../src/commands/globals.ts';
import { runSession, type Session, type Work } from '../../src/commands/session.ts';
import { DeployError } from '../../src/core/error.ts';
import { say } from '../../src/core/message.ts';
import { createFakeHost, type FakeOptions } from './fake-host.ts';

interface Setup extends FakeOptions {
  readonly argv?: readonly string[];
  readonly busy?: boolean;
  readonly endsBySignal?: boolean;
}

async function run(work: Work, { argv = [], busy = false, endsBySignal = false, ...fake }: Setup = {}) {
  const host = createFakeHost(fake);
  const status = await runSession(host, { globals: readGlobals(argv), work, busy, endsBySignal });
  return { status, ...host.printed };
}

const refuse = () => Promise.reject(DeployError.of('deployment/unknown', { name: 'x', nearest: '' }));

test('an error is one line, its code and its hint on stderr, and its exit status', async () => {
  expect(await run(refuse)).toEqual({
    status: 6,
    stdout: '',
    stderr: 'error: There is no deployment "x". (deployment/unknown)\n  qwen-deploy status lists what there is.\n',
  });
});

test('--debug adds the stack and the cause', async () => {
  const work = () => Promise.reject(DeployError.of('deployment/none', {}, { cause: new Error('the cause') }));
  const { stderr } = await run(work, { argv: ['--debug'] });
  expect(stderr).toContain('the cause');
  expect(stderr).toContain('session.test.ts');
});

test('anything else is a bug: stack and how to report it', async () => {
  const { status, stderr } = await run(() => Promise.reject(new TypeError('boom')));
  expect(status).toBe(1);
  expect(stderr).toContain('TypeError: boom');
  expect(stderr).toContain('session.test.ts');
  expect(stderr).toContain('This is a bug in qwen-deploy');
});

test('a bug as JSON is an Error document too, its stack stays on stderr', async () => {
  const { status, stdout, stderr } = await run(() => Promise.reject(new TypeError('boom')), { argv: ['-o', 'json'] });
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toEqual({ kind: 'Error', version: 1, code: 'internal/bug', message: 'boom', exitStatus: 1 });
  expect(stderr).toContain('TypeError: boom');
});

test('an answer is a document or a text', async () => {
  const work = async (session: Session) => {
    session.answer({ kind: 'Thing', version: 1 }, () => 'a thing\n');
    return 5;
  };
  expect(await run(work)).toEqual({ status: 5, stdout: 'a thing\n', stderr: '' });
  expect(await run(work, { argv: ['--output', 'json'] })).toEqual({ status: 5, stdout: '{"kind":"Thing","version":1}\n', stderr: '' });
});

test('an interrupted command ends with the status of the signal and says what is left', async () => {
  const aborted = () => Promise.reject(new DOMException('aborted', 'AbortError'));
  const { status, stderr } = await run(aborted, { busy: true, interruptStatus: 130 });
  expect(status).toBe(130);
  expect(stderr).toContain('goes on in the background');
});

test('an interrupted look needs no words', async () => {
  const aborted = () => Promise.reject(new DOMException('aborted', 'AbortError'));
  expect(await run(aborted, { interruptStatus: 143 })).toEqual({ status: 143, stdout: '', stderr: '' });
  expect(await run(async () => 0, { interruptStatus: 130 })).toMatchObject({ status: 130 });
});

test('in a terminal the prompt begins a line of its own after an interrupted look', async () => {
  const aborted = () => Promise.reject(new DOMException('aborted', 'AbortError'));
  expect(await run(aborted, { interruptStatus: 130, terminal: true })).toMatchObject({ status: 130, stderr: '\n' });
  expect(await run(async () => 0, { interruptStatus: 130, terminal: true })).toMatchObject({ status: 130, stderr: '\n' });
  expect(await run(async () => 0, { terminal: true })).toMatchObject({ status: 0, stderr: '' });
});

test('a command that a signal ends in the ordinary way is not interrupted', async () => {
  expect(await run(async () => 0, { interruptStatus: 143, endsBySignal: true })).toMatchObject({ status: 0 });
});

test('without a terminal a question fails and names its option', async () => {
  const work: Work = async ({ context }) => ((await context.confirm(say('views.no-deployments'), '--yes')) ? 0 : 1);
  const { status, stderr } = await run(work, { terminal: false });
  expect(status).toBe(8);
  expect(stderr).toContain('confirm/needed');
  expect(stderr).toContain('--yes');
});

test('the language to come is announced, not refused', async () => {
  const { status, stderr } = await run(async () => 0, { argv: ['--lang', 'zh-CN'] });
  expect(status).toBe(0);
  expect(stderr).toContain('zh-CN');
});

test('--output quiet keeps the conversation to itself, not the errors', async () => {
  const work: Work = async ({ context, tell }) => {
    context.emit({ type: 'said', level: 'info', text: say('views.no-deployments') });
    tell('aside');
    throw DeployError.of('deployment/none', {});
  };
  const { stderr } = await run(work, { argv: ['-o', 'quiet'] });
  expect(stderr).toBe('error: There is no deployment. (deployment/none)\n  qwen-deploy up starts one.\n');
});
