import { createServer } from 'node:net';
import { waitFor } from '../core/clock.ts';
import { errnoOf } from './files.ts';

/**
 * Whether a server could listen on this address now. `taken` also while somebody's listener lingers;
 * `bad-address`: the address is not of this machine. Port 0 asks the kernel for any free one.
 */
export type PortState = { readonly is: 'free'; readonly port: number } | { readonly is: 'taken' | 'bad-address' | 'forbidden' };

/** Also a name that cannot be looked up now, and a family that this machine does not speak. */
const unusable = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL', 'ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA'];

export async function probePort(host: string, port: number): Promise<PortState> {
  let seen = await bindOnce(host, port);
  // Another probe of ours holds the port for a millisecond: only what stays taken is taken.
  for (let tries = 1; seen.is === 'taken' && tries < 3; tries += 1) {
    await waitFor(10 + Math.random() * 20);
    seen = await bindOnce(host, port);
  }
  return seen;
}

function bindOnce(host: string, port: number): Promise<PortState> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      const code = errnoOf(error);
      if (code === 'EADDRINUSE') return resolve({ is: 'taken' });
      if (code !== undefined && unusable.includes(code)) return resolve({ is: 'bad-address' });
      if (code === 'EACCES') return resolve({ is: 'forbidden' });
      reject(error);
    });
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve({ is: 'free', port: bound }));
    });
  });
}
