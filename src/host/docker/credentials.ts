/** Who the person is at a registry, as `docker login` left it. Nothing of it is ever said to anybody but the engine. */
import { join } from 'node:path';
import { runBriefly } from '../exec.ts';
import { readTextFile } from '../files.ts';
import { parseJson, toField, toRecord, toText, toTextRecord } from './fields.ts';

export interface Credentials {
  /** The header that the engine takes; absent: nobody in particular. */
  readonly header?: string;
  /** Why there are none although there should be. */
  readonly problem?: string;
}

const hub = 'docker.io';
const hubKey = 'https://index.docker.io/v1/';
const helperLimitMs = 10_000;

/** `ghcr.io` of `ghcr.io/a/b:1`, `docker.io` where none is named. */
export function toRegistry(reference: string): string {
  const first = reference.split('/', 1)[0] ?? '';
  const isHost = reference.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  return isHost && first !== 'index.docker.io' ? first : hub;
}

export async function readCredentials(env: NodeJS.ProcessEnv, reference: string): Promise<Credentials> {
  const registry = toRegistry(reference);
  const server = registry === hub ? hubKey : registry;
  const text = await readTextFile(join(env.DOCKER_CONFIG || join(env.HOME ?? '/', '.docker'), 'config.json')).catch(() => undefined);
  const config = parseJson(text ?? '{}');
  const helper =
    toTextRecord(config, 'credHelpers')[server] ?? toTextRecord(config, 'credHelpers')[registry] ?? toText(config, 'credsStore');
  return helper === undefined ? toStored(config, server) : askHelper(helper, { server, env });
}

function toStored(config: unknown, server: string): Credentials {
  const auths = toRecord(config, 'auths');
  // Older ones wrote `https://host/v1/` for every registry.
  const key = Object.keys(auths).find((one) => one === server) ?? Object.keys(auths).find((one) => toHost(one) === toHost(server));
  if (key === undefined) return {};
  const entry = auths[key];
  const token = toText(entry, 'identitytoken');
  if (token !== undefined) return toHeader({ identitytoken: token, serveraddress: server });
  const pair = Buffer.from(toText(entry, 'auth') ?? '', 'base64').toString();
  const colon = pair.indexOf(':');
  if (colon <= 0) return {};
  return toHeader({ username: pair.slice(0, colon), password: pair.slice(colon + 1).replace(/\0+$/, ''), serveraddress: server });
}

function toHost(key: string): string {
  return key.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '';
}

async function askHelper(
  name: string,
  { server, env }: { readonly server: string; readonly env: NodeJS.ProcessEnv },
): Promise<Credentials> {
  const program = `docker-credential-${name}`;
  if (!/^[\w.-]+$/.test(name)) return { problem: `${program}: EINVAL` };
  const { code, stdout, problem } = await runBriefly(program, ['get'], { input: server, env, timeoutMs: helperLimitMs });
  // What it prints otherwise is not shown: it may be anything.
  if (code !== 0) return /not found/i.test(stdout) ? {} : { problem: `${program}: ${problem ?? `exit status ${code}`}` };
  const answer = parseJson(stdout);
  const [username, secret] = [toText(answer, 'Username'), toField(answer, 'Secret')];
  if (username === undefined || typeof secret !== 'string') return { problem: `${program}: EPROTO` };
  if (username === '<token>') return toHeader({ identitytoken: secret, serveraddress: server });
  return toHeader({ username, password: secret, serveraddress: server });
}

/** base64url, and the padding stays: that is how Go reads it. */
function toHeader(auth: Readonly<Record<string, string>>): Credentials {
  const text = Buffer.from(JSON.stringify(auth)).toString('base64');
  return { header: text.replaceAll('+', '-').replaceAll('/', '_') };
}
