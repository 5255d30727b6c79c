/** Where a Docker engine is to be asked, decided as Docker's own command line does it. */
import { join } from 'node:path';
import { readTextFile } from '../files.ts';

export type DockerAddress =
  /** `isSpare`: Podman's, which speaks Docker's language. Nobody chose it: what is wrong with it is not worth a word. */
  | { readonly is: 'socket'; readonly name: string; readonly path: string; readonly isSpare?: true }
  | {
      readonly is: 'tcp';
      readonly name: string;
      readonly host: string;
      readonly port: number;
      /** Directory with `ca.pem`, `cert.pem` and `key.pem`. */
      readonly certificates?: string;
    }
  /** Through the person's own ssh, and the program `docker` on the other machine. */
  | {
      readonly is: 'ssh';
      readonly name: string;
      readonly host: string;
      readonly user?: string;
      readonly port?: number;
      readonly path?: string;
    }
  | UnusableAddress;

/** `problem`: a code of the operating system; `ENOENT`: a context that is not there. */
export interface UnusableAddress {
  readonly is: 'unusable';
  readonly name: string;
  readonly problem: 'EPROTONOSUPPORT' | 'EINVAL' | 'ENOENT';
}

const defaultDockerSocket = '/var/run/docker.sock';
const defaultPodmanSocket = '/run/podman/podman.sock';

/**
 * Best first. One where the person chose (`DOCKER_HOST`, `DOCKER_CONTEXT`, the current context); else the socket of an
 * engine without root, which only its own installer makes the current context, and the usual one; then the same of Podman.
 */
export async function readDockerAddresses(env: NodeJS.ProcessEnv): Promise<readonly DockerAddress[]> {
  if (env.DOCKER_HOST) return [parseDockerHost(env.DOCKER_HOST, toCertificates(env))];
  const chosen = await readContext(env);
  if (chosen !== undefined) return [chosen];
  const own = (name: string) => (env.XDG_RUNTIME_DIR ? [join(env.XDG_RUNTIME_DIR, name)] : []);
  const docker = [...own('docker.sock'), defaultDockerSocket].map((path) => ({ is: 'socket', name: path, path }) as const);
  const podman = [...own('podman/podman.sock'), defaultPodmanSocket];
  return [...docker, ...podman.map((path) => ({ is: 'socket', name: path, path, isSpare: true }) as const)];
}

const ports = { plain: 2375, tls: 2376 } as const;

/** `unix:///run/x.sock`, `tcp://host:2375`, `host:2375`, `ssh://user@host`. */
export function parseDockerHost(text: string, certificates?: string): DockerAddress {
  const [, scheme = 'tcp', rest = ''] = /^(?:(\w+):\/\/)?(.*)$/.exec(text) ?? [];
  if (scheme === 'unix') {
    const path = rest || defaultDockerSocket;
    return { is: 'socket', name: path, path };
  }
  if (scheme === 'ssh') return toSsh(text, rest);
  if (!['tcp', 'http', 'https'].includes(scheme)) return { is: 'unusable', name: text, problem: 'EPROTONOSUPPORT' };
  const url = toUrl(rest);
  if (url === undefined) return { is: 'unusable', name: text, problem: 'EINVAL' };
  const port = Number(url.port) || (certificates ? ports.tls : ports.plain);
  const name = `tcp://${url.hostname}:${port}`;
  return { is: 'tcp', name, host: url.hostname, port, ...(certificates ? { certificates } : {}) };
}

/** A password in it is not used: it would be seen by all who see our arguments. */
function toSsh(text: string, rest: string): DockerAddress {
  const url = toUrl(rest);
  // What begins with a dash would be an option of ssh.
  if (url === undefined || /^-/.test(url.hostname) || url.password !== '') return { is: 'unusable', name: 'ssh://…', problem: 'EINVAL' };
  const user = decodeURIComponent(url.username);
  const path = url.pathname.length > 1 ? url.pathname : undefined;
  return {
    is: 'ssh',
    name: text,
    host: url.hostname,
    ...(user ? { user } : {}),
    ...(url.port ? { port: Number(url.port) } : {}),
    ...(path ? { path } : {}),
  };
}

/** As of another scheme: `http` would drop its own port 80. */
function toUrl(rest: string): URL | undefined {
  try {
    const url = new URL(`docker://${rest}`);
    return url.hostname === '' ? undefined : url;
  } catch {
    // no address
    return undefined;
  }
}

function toCertificates(env: NodeJS.ProcessEnv): string | undefined {
  if (env.DOCKER_CERT_PATH) return env.DOCKER_CERT_PATH;
  return env.DOCKER_TLS_VERIFY ? toConfigDirectory(env) : undefined;
}

function toConfigDirectory(env: NodeJS.ProcessEnv): string {
  return env.DOCKER_CONFIG || join(env.HOME ?? '/', '.docker');
}

/** Undefined for the context `default`, which means the usual socket. */
async function readContext(env: NodeJS.ProcessEnv): Promise<DockerAddress | undefined> {
  const directory = toConfigDirectory(env);
  const name = env.DOCKER_CONTEXT || (await readField(join(directory, 'config.json'), ['currentContext']));
  if (name === undefined || name === '' || name === 'default') return undefined;
  const { createHash } = await import('node:crypto');
  const hash = createHash('sha256').update(name).digest('hex');
  const host = await readField(join(directory, 'contexts', 'meta', hash, 'meta.json'), ['Endpoints', 'docker', 'Host']);
  if (host === undefined) return { is: 'unusable', name, problem: 'ENOENT' };
  const certificates = join(directory, 'contexts', 'tls', hash, 'docker');
  const isSecure = (await readTextFile(join(certificates, 'ca.pem'))) !== undefined;
  return parseDockerHost(host, isSecure ? certificates : undefined);
}

/** A text in a JSON file; undefined where it is not, and in a file that is not JSON, as Docker itself warns and goes on. */
async function readField(path: string, keys: readonly string[]): Promise<string | undefined> {
  const text = await readTextFile(path).catch(() => undefined);
  try {
    let value: unknown = JSON.parse(text ?? '{}');
    for (const key of keys) value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
    return typeof value === 'string' ? value : undefined;
  } catch {
    // damaged
    return undefined;
  }
}
