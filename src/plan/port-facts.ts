/** What this machine says of the port that a deployment wants. */
import { hasListener } from '../host/listeners.ts';
import { probePort } from '../host/net.ts';
import { findPortOwner } from '../host/port-owner.ts';
import type { Profile } from '../profile/profile.ts';
import type { PortFact } from './facts.ts';

/**
 * A vLLM that is still starting has bound its port and does not listen yet: that cannot be seen from here (Node
 * always sets SO_REUSEADDR). Deployments of ours know each other by their state instead.
 */
export async function observePort({ host, port }: Profile['server']): Promise<PortFact> {
  // Node loads half a megabyte of itself to try to listen, which is a tenth of the time of `plan`.
  if (isPlain(host, port) && hasListener(port) === false) return { is: 'free' };
  const state = await probePort(host, port);
  if (state.is !== 'taken') return { is: state.is };
  const [owner, other] = await Promise.all([findPortOwner(port), findFreePort(host, port + 1)]);
  return { is: 'taken', free: other, ...(owner ? { owner } : {}) };
}

/** Below, a port may be refused for other reasons than that it is taken. */
const leastFreePort = 1024;

/** Where nothing but a listener can stand against listening. */
function isPlain(host: string, port: number): boolean {
  return (host === '127.0.0.1' || host === '::1') && port >= leastFreePort;
}

const portsTried = 50;

/** The next one that is free: easier to remember than any that the kernel would give. */
async function findFreePort(host: string, from: number): Promise<number> {
  for (let port = from; port < Math.min(from + portsTried, 65_536); port += 1) {
    if ((await probePort(host, port)).is === 'free') return port;
  }
  const any = await probePort(host, 0);
  return any.is === 'free' ? any.port : from;
}
