import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, test } from 'vitest';
import { readCredentials } from '../../../src/host/docker/credentials.ts';

const hub = 'https://index.docker.io/v1/';
/** Answers with what it was asked for, as a user of its own name. */
const honest = 'read -r server; printf \'{"Username": "%s", "Secret": "s-%s"}\' "${0##*-}" "$server"';

/** A person with this configuration of Docker, and helpers on the PATH by name. */
function makePerson(config: unknown, helpers: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const home = mkdtempSync(join(tmpdir(), 'qd-credentials-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  for (const directory of ['.docker', 'bin']) mkdirSync(join(home, directory));
  writeFileSync(join(home, '.docker/config.json'), JSON.stringify(config));
  for (const [name, script] of Object.entries(helpers)) {
    const path = join(home, 'bin', `docker-credential-${name}`);
    writeFileSync(path, `#!/bin/sh\n[ "$1" = get ] || exit 9\n${script}\n`);
    chmodSync(path, 0o755);
  }
  return { HOME: home, PATH: `${join(home, 'bin')}:/usr/bin:/bin` };
}

function toAuth(header: string | undefined): unknown {
  return header === undefined ? undefined : JSON.parse(Buffer.from(header, 'base64url').toString());
}

const both = { credsStore: 'keys', credHelpers: { 'ghcr.io': 'own' } };

test.each([
  ['vllm/vllm-openai:v0.32.0', { username: 'keys', password: `s-${hub}`, serveraddress: hub }],
  ['quay.io/a/b:1', { username: 'keys', password: 's-quay.io', serveraddress: 'quay.io' }],
  ['ghcr.io/a/b:1', { username: 'own', password: 's-ghcr.io', serveraddress: 'ghcr.io' }],
])('asks the helper of the registry, else the store of all: %s', async (reference, auth) => {
  const { header, problem } = await readCredentials(makePerson(both, { keys: honest, own: honest }), reference);
  expect([toAuth(header), problem]).toEqual([auth, undefined]);
});

it('takes a token for what it is', async () => {
  const env = makePerson({ credsStore: 'keys' }, { keys: `printf '{"Username": "<token>", "Secret": "t"}'` });
  expect(toAuth((await readCredentials(env, 'ghcr.io/a')).header)).toEqual({ identitytoken: 't', serveraddress: 'ghcr.io' });
});

it('is nobody in particular where the helper knows nobody', async () => {
  const env = makePerson({ credsStore: 'keys' }, { keys: 'echo "credentials not found in native keychain"; exit 1' });
  expect(await readCredentials(env, 'ghcr.io/a')).toEqual({});
});

test.each([
  ['fails, and shows nothing of what it printed', { keys: 'echo hunter2; exit 3' }, 'docker-credential-keys: exit status 3'],
  ['is not there', {}, /^docker-credential-keys: .*ENOENT/],
  ['says what is no answer', { keys: 'echo hunter2' }, 'docker-credential-keys: EPROTO'],
])('says which helper %s', async (_, helpers, problem) => {
  const found = await readCredentials(makePerson({ credsStore: 'keys' }, helpers as Readonly<Record<string, string>>), 'ghcr.io/a');
  expect(found).toEqual({ problem: typeof problem === 'string' ? problem : expect.stringMatching(problem) });
});

it('runs no program that a name leads elsewhere to', async () => {
  const found = await readCredentials(makePerson({ credsStore: '../../tmp/x' }), 'ghcr.io/a');
  expect(found).toEqual({ problem: 'docker-credential-../../tmp/x: EINVAL' });
});
