import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import type { DoctorOptions } from './doctor-run.ts';
import { addExamples } from './examples.ts';
import { addProfileOptions, refuse } from './options.ts';
import type { Run } from './session.ts';

export function configure(command: Command, run: Run): void {
  addProfileOptions(command.argument('[name]', toText(say('commands.argument.name'))))
    .option('--gpu <name>', toText(say('commands.doctor.gpu')))
    .option('--nvidia-smi <file>', toText(say('commands.doctor.smi')))
    .option('--offline', toText(say('commands.doctor.offline')))
    .option('-v, --verbose', toText(say('commands.doctor.verbose')))
    .option('--strict', toText(say('commands.doctor.strict')))
    .option('--fix', toText(say('commands.doctor.fix')))
    .option('--yes', toText(say('commands.option.yes')))
    .option('--bundle <file>', toText(say('commands.doctor.bundle')))
    .option('--force', toText(say('commands.doctor.force')))
    .action((name: string | undefined, options: DoctorOptions) =>
      run(async (session) => {
        checkOptions(options);
        const { runDoctor } = await import('./doctor-run.ts');
        return runDoctor(name, options, session);
      }),
    );
  addExamples(command, [
    'doctor',
    'doctor -p fp8 --gpu "RTX 4090"',
    'doctor -p int4 --fix',
    'doctor --nvidia-smi ./their-gpu.xml',
    'doctor --bundle ./doctor.tar.gz',
  ]);
}

/** Mistakes that are seen before anything is looked at. */
function checkOptions({ gpu, nvidiaSmi, fix }: DoctorOptions): void {
  if (gpu !== undefined && nvidiaSmi !== undefined) throw refuse(toText(say('commands.doctor.one-machine')), 'doctor');
  if (fix && (gpu !== undefined || nvidiaSmi !== undefined)) throw refuse(toText(say('commands.doctor.not-here')), 'doctor');
}
