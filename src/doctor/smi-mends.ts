/** What to do about a GPU that does not answer, by what nvidia-smi says. Words as captured from drivers 390 to 615. */
import { type Message, say } from '../core/message.ts';
import type { Fix } from './check.ts';

export interface SmiMend {
  readonly hint: Message;
  readonly fix?: Fix;
}

interface Known extends SmiMend {
  readonly pattern: RegExp;
}

const reboot: Fix = { is: 'command', command: 'sudo reboot' };

const known: readonly Known[] = [
  {
    pattern: /couldn't communicate with the NVIDIA driver|driver not loaded/i,
    hint: say('doctor.smi.not-loaded'),
    fix: { is: 'command', command: 'sudo modprobe nvidia' },
  },
  { pattern: /Driver\/library version mismatch/i, hint: say('doctor.smi.mismatch'), fix: reboot },
  { pattern: /couldn't find libnvidia-ml|NVML library not found|libnvidia-ml\.so/i, hint: say('doctor.smi.no-library') },
  { pattern: /GPU is lost|gpu\.lost|fallen off the bus/i, hint: say('doctor.smi.lost'), fix: reboot },
  { pattern: /requires?[ -]reset/i, hint: say('doctor.smi.reset'), fix: { is: 'command', command: 'sudo nvidia-smi --gpu-reset' } },
  { pattern: /Unable to determine the device handle/i, hint: say('doctor.smi.handle'), fix: reboot },
  { pattern: /Failed to initialize NVML: (Unknown|N\/A)/i, hint: say('doctor.smi.unknown') },
  { pattern: /Insufficient Permissions|permission denied|EACCES/i, hint: say('doctor.smi.permission') },
  { pattern: /No devices were found/i, hint: say('doctor.smi.no-devices') },
  { pattern: /^gpu\.smi-not-executable/, hint: say('doctor.smi.not-executable') },
  { pattern: /^gpu\.smi-hangs/, hint: say('doctor.smi.hangs') },
  { pattern: /^gpu\.no-smi/, hint: say('doctor.smi.no-smi') },
];

export function toSmiMend({ id, params }: Message): SmiMend {
  const words = [id, ...Object.values(params).map(String)].join(' ');
  return known.find(({ pattern }) => pattern.test(words)) ?? { hint: say('doctor.smi.other') };
}
