/** What an engine is installed with. */
import { say } from '../../core/message.ts';
import { toInstallEnvironment } from '../../engine/environment.ts';
import { toTriedText } from '../../engine/plan-install.ts';
import { choosePython, type ObservedPython, pythonRange } from '../../engine/python.ts';
import { observeUv, oldestUv } from '../../engine/uv.ts';
import { compareVersions } from '../../engine/version.ts';
import type { Check, CheckOutcome, DoctorContext } from '../check.ts';
import { isToInstall } from '../engine-need.ts';
import { isBelow } from '../read.ts';

export const pythonChecks: readonly Check[] = [
  { id: 'engine.python', group: 'engine', limitMs: 3000, isNeeded: isToInstall, run: checkPython },
  { id: 'engine.uv', group: 'engine', run: checkUv },
];

/** Each is asked by running it, with what an installation would run it with. */
async function checkPython(context: DoctorContext): Promise<CheckOutcome> {
  const { subject, signal } = context;
  if (subject && !isToInstall(subject)) return { status: 'skip', message: say('doctor.engine.python.unneeded') };
  const env = toInstallEnvironment(context.env);
  const [pythons, uv] = await Promise.all([context.pythons(), observeUv(env, signal)]);
  const evidence = pythons.map(({ found, version = '-', venv }) => `${found}: ${version}${venv ? '' : ' (no venv)'}`);
  const python = choosePython(pythons);
  if (python) return { ...judgePython(python, uv !== undefined, context), evidence };
  if (uv?.python) return { status: 'pass', message: say('doctor.engine.python.of-uv', { program: uv.python }), evidence };
  const range = pythonRange;
  if (uv)
    return { status: 'warn', message: say('doctor.engine.python.fetched', { range }), hint: say('doctor.engine.python.fetch'), evidence };
  const message = say('doctor.engine.python.none', { range, tried: toTriedText(pythons) });
  return { status: 'fail', message, hint: say('doctor.engine.python.install'), evidence };
}

function judgePython(python: ObservedPython, hasUv: boolean, context: DoctorContext): CheckOutcome {
  const { program, version = '-' } = python;
  if (hasUv || python.venv) return { status: 'pass', message: say('doctor.engine.python', { version, program }) };
  if (python.pip) return { status: 'pass', message: say('doctor.engine.python.by-pip', { version, program }) };
  const message = say('doctor.engine.python.no-venv', { version, program });
  const fix = { is: 'command', command: `sudo apt-get install python${version.split('.').slice(0, 2).join('.')}-venv` } as const;
  const isDebian = isBelow(context, '/etc/debian_version');
  return { status: 'fail', message, hint: say('doctor.engine.python.add-venv'), ...(isDebian ? { fix } : {}) };
}

async function checkUv({ run }: DoctorContext): Promise<CheckOutcome> {
  const { code, stdout, problem } = await run('uv', ['--version']);
  if (problem === 'ENOENT') return { status: 'skip', message: say('doctor.engine.uv.none') };
  const version = /^uv (\d+\.\d+\.\d+)/m.exec(stdout)?.[1];
  if (version === undefined) {
    return {
      status: 'warn',
      message: say('doctor.engine.uv.broken', { problem: problem ?? `exit ${code}` }),
      hint: say('doctor.engine.uv.mend'),
    };
  }
  if (compareVersions(version, oldestUv) >= 0) return { status: 'pass', message: say('doctor.engine.uv', { version }) };
  return { status: 'warn', message: say('doctor.engine.uv.old', { version, oldest: oldestUv }), hint: say('doctor.engine.uv.mend') };
}
