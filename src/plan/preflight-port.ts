/** Whether the port of a profile can be listened on. Apart from the rest: it is all that stands against a simulator. */
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import type { Profile } from '../profile/profile.ts';
import type { Facts } from './facts.ts';

export function checkPort({ server }: Profile, { port }: Facts): DeployError | undefined {
  const { host, port: number } = server;
  if (port.is !== 'taken') {
    if (port.is === 'bad-address') return DeployError.of('runtime/bad-address', { host });
    return port.is === 'free' ? undefined : DeployError.of('runtime/port-forbidden', { port: number });
  }
  const owner = port.owner
    ? say('plan.port-owner', { pid: port.owner.pid, command: cut(port.owner.command) })
    : say('plan.port-owner-unknown');
  return DeployError.of('runtime/port-taken', { port: number, host, owner, free: port.free });
}

/** Enough of a command line to know it by; a script given as an argument may have many lines. */
const longestCommand = 80;

function cut(command: string): string {
  const line = command.replace(/\s+/g, ' ').trim();
  return line.length > longestCommand ? `${line.slice(0, longestCommand)}…` : line;
}
