/** Faults of GPUs in the kernel's log. Not being allowed to read it is no sign that there are none. */
import { type Message, say } from '../../core/message.ts';
import { toSysfsBusId } from '../../gpu/sysfs.ts';
import { parseXids } from '../../gpu/xid.ts';
import { type XidRemedy, xidMeanings } from '../../gpu/xid-meanings.ts';
import type { CheckOutcome, DoctorContext, Fix } from '../check.ts';
import { skip, skipOfFile } from '../gpu-view.ts';
import { readBelow } from '../read.ts';

export async function checkXid(context: DoctorContext): Promise<CheckOutcome> {
  const skipped = skipOfFile(context);
  if (skipped) return skipped;
  const observed = await context.gpus();
  if (observed.is === 'absent') return skip(say('doctor.gpu.none'));
  const log = await readKernelLog(context);
  if (log.is === 'unread')
    return { status: 'skip', message: say('doctor.gpu.xid-unread'), hint: say('doctor.gpu.xid-unread.hint'), evidence: log.tried };
  const faults = parseXids(log.text).map(toFault);
  const [worst] = faults.toSorted((a, b) => order.indexOf(a.remedy) - order.indexOf(b.remedy));
  if (worst === undefined) return { status: 'pass', message: say('doctor.gpu.no-xid', { source: log.source }) };
  const evidence = [...new Set(faults.map(({ line }) => line))].slice(-10);
  const gpus = observed.is === 'present' ? observed.gpus : [];
  const gpu = gpus.find(({ busId = '' }) => isSame(busId, worst.busId));
  const words = { xid: worst.xid, title: worst.title, gpu: gpu ? `GPU ${gpu.index}` : worst.busId, count: faults.length };
  if (worst.remedy === 'note') return { status: 'pass', message: say('doctor.gpu.xid-note', words), evidence };
  return { ...answers[worst.remedy], message: say('doctor.gpu.xid', words), evidence };
}

interface Fault {
  readonly busId: string;
  readonly xid: number;
  readonly line: string;
  readonly title: string;
  readonly remedy: XidRemedy;
}

/** Gravest first. */
const order: readonly XidRemedy[] = ['reboot', 'reset', 'hardware', 'program', 'note'];

interface Answer {
  readonly status: 'warn' | 'fail';
  readonly hint: Message;
  readonly fix?: Fix;
}

const answers: Readonly<Record<Exclude<XidRemedy, 'note'>, Answer>> = {
  reboot: { status: 'fail', hint: say('doctor.gpu.xid.reboot'), fix: { is: 'command', command: 'sudo reboot' } },
  reset: { status: 'fail', hint: say('doctor.gpu.xid.reset'), fix: { is: 'command', command: 'sudo nvidia-smi --gpu-reset' } },
  hardware: { status: 'warn', hint: say('doctor.gpu.xid.hardware') },
  program: { status: 'warn', hint: say('doctor.gpu.xid.program') },
};

/** 154 tells what is to be done by now, which may be nothing any more. */
function toFault({ busId, xid, line }: { readonly busId: string; readonly xid: number; readonly line: string }): Fault {
  const known = xidMeanings.find((meaning) => meaning.xid === xid);
  const over = xid === 154 && /to 0x0 \(None\)/.test(line);
  return { busId, xid, line, title: known?.title ?? '?', remedy: over ? 'note' : (known?.remedy ?? 'program') };
}

/** nvidia-smi writes eight digits of the domain and a function, the kernel four and sometimes none. */
function isSame(busId: string, logged: string): boolean {
  const place = toSysfsBusId(busId);
  return place?.startsWith(logged.toLowerCase()) === true;
}

type KernelLog =
  | { readonly is: 'read'; readonly text: string; readonly source: string }
  | { readonly is: 'unread'; readonly tried: readonly string[] };

const programs = [['dmesg'], ['journalctl', '-k', '-b', '-q', '--no-pager']] as const;
const files = ['/var/log/kern.log', '/var/log/messages'];

/** The first of these that says anything: an empty answer is what an account without rights gets. */
async function readKernelLog(context: DoctorContext): Promise<KernelLog> {
  const tried: string[] = [];
  for (const [program, ...args] of programs) {
    const { code, stdout, stderr, problem } = await context.run(program, args);
    if (code === 0 && stdout.trim() !== '') return { is: 'read', text: stdout, source: program };
    tried.push(`${program}: ${problem ?? (stderr.split('\n')[0]?.trim() || `exit ${code}`)}`);
  }
  for (const path of files) {
    const reading = readBelow(context, path);
    if (reading.is === 'text') return { is: 'read', text: reading.text, source: path };
    tried.push(`${path}: ${reading.is === 'absent' ? 'ENOENT' : reading.problem}`);
  }
  return { is: 'unread', tried };
}
