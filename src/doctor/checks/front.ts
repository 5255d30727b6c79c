/** The address that the server would have, and who is in front of it. */
import { say } from '../../core/message.ts';
import { hidePasswords } from '../../engine/sources.ts';
import type { Check, CheckOutcome, DoctorContext } from '../check.ts';

const group = 'network';

export const frontChecks: readonly Check[] = [
  { id: 'network.port', group, isNeeded: () => true, run: checkPort },
  { id: 'network.front', group, run: checkFront },
  { id: 'network.proxy', group, run: checkProxy },
];

/** Whether others than this machine can reach a server that listens there. */
export function isOpen(host: string): boolean {
  return !/^(127\.|localhost$|::1$|\[::1\]$)/.test(host);
}

function checkPort({ subject }: DoctorContext): CheckOutcome {
  if (subject === undefined) return { status: 'skip', message: say('doctor.network.no-profile') };
  const { host, port } = subject.profile.server;
  const fact = subject.facts.port;
  if (fact.is === 'bad-address') {
    return { status: 'fail', message: say('doctor.port.bad-address', { host }), hint: say('doctor.port.bad-address.hint') };
  }
  if (fact.is === 'forbidden') {
    return { status: 'fail', message: say('doctor.port.forbidden', { port }), hint: say('doctor.port.forbidden.hint') };
  }
  if (fact.is !== 'taken') return { status: 'pass', message: say('doctor.port', { port, host }) };
  if (subject.running) return { status: 'pass', message: say('doctor.port.ours', { port, host }) };
  const { owner, free } = fact;
  const name = owner ? say('doctor.port.owner', { pid: owner.pid, command: cut(owner.command) }) : say('doctor.port.owner-unknown');
  return {
    status: 'fail',
    message: say('doctor.port.taken', { port, host, owner: name }),
    hint: say('doctor.port.taken.hint', { free }),
    evidence: owner ? [`${owner.pid}: ${owner.command}`] : [],
    fix: { is: 'profile', set: { 'server.port': free } },
  };
}

/** Enough to know it by; the whole of it is evidence. */
const longestCommand = 40;

function cut(command: string): string {
  const line = command.replace(/\s+/g, ' ').trim();
  return line.length > longestCommand ? `${line.slice(0, longestCommand)}…` : line;
}

function checkFront({ subject }: DoctorContext): CheckOutcome {
  if (subject === undefined) return { status: 'skip', message: say('doctor.network.no-profile') };
  const { host, apiKey } = subject.profile.server;
  if (!isOpen(host)) return { status: 'pass', message: say('doctor.front', { host }) };
  const message = apiKey === undefined ? say('doctor.front.no-key', { host }) : say('doctor.front.key', { host });
  if (apiKey !== undefined) return { status: 'pass', message };
  return { status: 'warn', message, hint: say('doctor.front.hint') };
}

/** Programs that ask `http://127.0.0.1` go by these; one for https alone does not concern them. */
const plainNames = ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'];
const names = [...plainNames, 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'];

function checkProxy({ env }: DoctorContext): CheckOutcome {
  const set = names.filter((name) => env[name]);
  const proxies = set.filter((name) => name.toLowerCase() !== 'no_proxy');
  if (proxies.length === 0) return { status: 'pass', message: say('doctor.proxy.none') };
  const evidence = set.map((name) => `${name}=${hidePasswords(env[name] ?? '')}`);
  const excepted = toExceptions(env.no_proxy || env.NO_PROXY);
  const lacking = ['localhost', '127.0.0.1'].filter((host) => !excepted.some((entry) => covers(entry, host)));
  const [plain] = plainNames.filter((name) => env[name]);
  if (plain !== undefined && lacking.length > 0) {
    const command = `export no_proxy=${[...excepted, ...lacking].join(',')} NO_PROXY=${[...excepted, ...lacking].join(',')}`;
    const message = say('doctor.proxy.loopback', { name: plain, hosts: lacking.join(', ') });
    return { status: 'warn', message, hint: say('doctor.proxy.loopback.hint'), evidence, fix: { is: 'command', command } };
  }
  const split = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].find((name) => disagrees(env[name], env[name.toUpperCase()]));
  if (split === undefined) return { status: 'pass', message: say('doctor.proxy', { names: proxies.join(', ') }), evidence };
  const message = say('doctor.proxy.split', { lower: split, upper: split.toUpperCase() });
  return { status: 'warn', message, hint: say('doctor.proxy.split.hint'), evidence };
}

/** One of the two alone is read by some programs and not by others, but says nothing wrong. */
function disagrees(lower: string | undefined, upper: string | undefined): boolean {
  return lower !== undefined && upper !== undefined && lower !== upper;
}

function toExceptions(text: string | undefined): readonly string[] {
  return (text ?? '').split(/[\s,]+/).filter(Boolean);
}

/** `*`, the name itself with or without a port, or the network of loopback. */
function covers(entry: string, host: string): boolean {
  const name = entry.replace(/:\d+$/, '').replace(/^\./, '').toLowerCase();
  return name === '*' || name === host || (host === '127.0.0.1' && /^127\.0\.0\.0\/8$/.test(name));
}
