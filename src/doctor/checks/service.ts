/** What would start deployments after a reboot, and what ends them at a logout. */
import { join } from 'node:path';
import { say } from '../../core/message.ts';
import type { Check, CheckOutcome, DoctorContext } from '../check.ts';
import { isBelow, listBelow, readBelow, readWord, toUnread } from '../read.ts';

export const serviceChecks: readonly Check[] = [
  { id: 'service.systemd', group: 'service', run: checkSystemd },
  { id: 'service.linger', group: 'service', run: checkLinger },
  { id: 'service.boot', group: 'service', run: checkBoot },
];

/** As systemd's own sd_booted asks. */
function isBooted(context: DoctorContext): boolean {
  return isBelow(context, '/run/systemd/system');
}

function toFirst(context: DoctorContext): string {
  return readWord(context, '/proc/1/comm') || '?';
}

function checkSystemd(context: DoctorContext): CheckOutcome {
  const first = toFirst(context);
  if (!isBooted(context)) return { status: 'skip', message: say('doctor.systemd.absent', { first }), evidence: [`/proc/1/comm: ${first}`] };
  const uid = process.getuid?.() ?? 0;
  const runtime = context.env.XDG_RUNTIME_DIR;
  const manager = [runtime, `/run/user/${uid}`].find((path) => path !== undefined && isBelow(context, `${path}/systemd`));
  if (manager !== undefined && runtime !== undefined)
    return { status: 'pass', message: say('doctor.systemd'), evidence: [`${manager}/systemd`] };
  const evidence = [`XDG_RUNTIME_DIR: ${runtime ?? '-'}`, `/run/user/${uid}/systemd: ${manager === undefined ? 'ENOENT' : 'here'}`];
  if (manager === undefined)
    return {
      status: 'warn',
      message: say('doctor.systemd.no-session'),
      hint: say('doctor.systemd.no-session.hint', { user: toUser(context) }),
      evidence,
    };
  const command = `export XDG_RUNTIME_DIR=/run/user/${uid}`;
  const hint = say('doctor.systemd.no-variable.hint', { command });
  return { status: 'warn', message: say('doctor.systemd.no-variable'), hint, evidence, fix: { is: 'command', command } };
}

/** The name in the list of users goes before what a variable says: `sudo` leaves the caller's. */
function toUser(context: DoctorContext): string {
  const uid = process.getuid?.() ?? 0;
  const named = new RegExp(`^([^:\\n]+):[^:]*:${uid}:`, 'm').exec(readWord(context, '/etc/passwd') ?? '')?.[1];
  return named ?? context.env.USER ?? String(uid);
}

/**
 * Without lingering, the last logout may take the runtime directory away, with the sockets that deployments are asked
 * through; and where logind is told to, it ends everything that was started.
 */
function checkLinger(context: DoctorContext): CheckOutcome {
  if (!isBooted(context)) return { status: 'skip', message: say('doctor.linger.absent') };
  const user = toUser(context);
  const file = `/var/lib/systemd/linger/${user}`;
  if (isBelow(context, file)) return { status: 'pass', message: say('doctor.linger', { user }), evidence: [file] };
  const command = `sudo loginctl enable-linger ${user}`;
  const kills = readKillsProcesses(context);
  const evidence = [`${file}: ENOENT`, ...(kills ? ['logind.conf: KillUserProcesses=yes'] : [])];
  if (!kills && !context.places.run.startsWith('/run/user/'))
    return { status: 'pass', message: say('doctor.linger.unneeded', { user }), evidence };
  const message = kills ? say('doctor.linger.killed', { user }) : say('doctor.linger.off', { user });
  return { status: 'warn', message, hint: say('doctor.linger.hint', { command }), evidence, fix: { is: 'command', command } };
}

/** The last line of the last file counts, as everywhere in systemd. */
function readKillsProcesses(context: DoctorContext): boolean {
  const directory = '/etc/systemd/logind.conf.d';
  const files = [
    '/etc/systemd/logind.conf',
    ...listBelow(context, directory)
      .toSorted()
      .map((name) => join(directory, name)),
  ];
  const values = files.flatMap((file) => [...(readWord(context, file) ?? '').matchAll(/^\s*KillUserProcesses\s*=\s*(\w+)/gm)]);
  return /^(?:yes|true|on|1)$/i.test(values.at(-1)?.[1] ?? '');
}

function checkBoot(context: DoctorContext): CheckOutcome {
  const reading = readBelow(context, '/proc/1/comm');
  if (reading.is !== 'text') return toUnread(reading);
  const evidence = [`/proc/1/comm: ${reading.text.trim()}`];
  if (isBooted(context)) return { status: 'pass', message: say('doctor.boot.systemd'), evidence };
  const contained =
    isBelow(context, '/.dockerenv') || isBelow(context, '/run/.containerenv') || Boolean(context.env.KUBERNETES_SERVICE_HOST);
  if (contained) return { status: 'pass', message: say('doctor.boot.container'), evidence };
  const cron = ['/run/crond.pid', '/var/run/crond.pid', '/run/cron.pid'].some((path) => isBelow(context, path));
  return { status: 'pass', message: say(cron ? 'doctor.boot.cron' : 'doctor.boot.none'), evidence };
}
