/** The vLLM that would run. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Message, say } from '../../core/message.ts';
import { findSitePackages } from '../../engine/dist-info.ts';
import type { InstalledEngine } from '../../engine/engine.ts';
import { listEngineDirectories, listEngines, toEngineId } from '../../engine/installed.ts';
import { compareVersions, toPublicVersion } from '../../engine/version.ts';
import { findFlagOrigin } from '../../profile/shelf.ts';
import { advisories } from '../advisories.ts';
import type { Check, CheckOutcome, DoctorContext, DoctorSubject } from '../check.ts';
import { isProcess } from '../subject.ts';
import { isOpen } from './front.ts';
import { pythonChecks } from './python.ts';

export const engineChecks: readonly Check[] = [
  { id: 'engine.installed', group: 'engine', isNeeded: isProcess, run: checkInstalled },
  ...pythonChecks,
  { id: 'engine.security', group: 'engine', run: checkSecurity },
  { id: 'engine.version-known', group: 'engine', run: checkKnown },
  { id: 'engine.bytecode', group: 'engine', run: checkBytecode },
];

async function checkInstalled({ subject, places }: DoctorContext): Promise<CheckOutcome> {
  const [engines, directories] = await Promise.all([listEngines(places), listEngineDirectories(places)]);
  const ids = engines.map(({ id }) => id);
  const broken = directories.filter((id) => !ids.includes(id));
  const evidence = [...ids, ...broken.map((id) => `${id}: engine.json is absent or its program is`)];
  if (subject === undefined) {
    if (ids.length > 0) return { status: 'pass', message: say('doctor.engine.installed.all', { ids: ids.join(', ') }), evidence };
    return { status: 'skip', message: say('doctor.engine.installed.none'), evidence };
  }
  if (!isProcess(subject)) return { status: 'skip', message: toElsewhere(subject) };
  return { ...judgeEngine(subject, broken), evidence };
}

function toElsewhere({ plan }: DoctorSubject): Message {
  return plan.backend === 'simulator' ? say('doctor.engine.simulated') : say('doctor.engine.in-image');
}

function judgeEngine({ plan, profile, facts }: DoctorSubject, broken: readonly string[]): CheckOutcome {
  const { source } = plan.engine;
  const { variant, version } = profile.engine;
  if (source.kind === 'executable') return judgeProgram(source.program, { version, fact: facts.executable });
  const id = toEngineId(variant, version);
  if (source.kind === 'managed' && source.installed) return { status: 'pass', message: say('doctor.engine.installed', { version, id }) };
  const command = `qwen-deploy engine install ${variant} --engine-version ${version}`;
  const message = broken.includes(id) ? say('doctor.engine.installed.broken', { id }) : say('doctor.engine.installed.not', { id });
  return { status: 'warn', message, hint: say('doctor.engine.installed.install'), fix: { is: 'command', command } };
}

interface WantedProgram {
  readonly version: string;
  readonly fact: DoctorSubject['facts']['executable'];
}

/** The one that the profile names, or one on PATH that has just the version. */
function judgeProgram(program: string, { version, fact }: WantedProgram): CheckOutcome {
  if (fact && 'problem' in fact) {
    const message = say('doctor.engine.program.problem', { program, problem: fact.problem });
    return { status: 'fail', message, hint: say('doctor.engine.program.mend') };
  }
  const found = fact?.version;
  if (found === undefined) return { status: 'pass', message: say('doctor.engine.program.unknown', { program }) };
  if (toPublicVersion(found) === version) return { status: 'pass', message: say('doctor.engine.program', { version, program }) };
  const message = say('doctor.engine.program.other', { program, found, version });
  return { status: 'warn', message, hint: say('doctor.engine.program.same', { found: toPublicVersion(found) }) };
}

/** Of the engine that would run; undefined for the simulator, and for a program that does not tell. */
function toVersion({ plan, facts, profile }: DoctorSubject): string | undefined {
  if (plan.backend === 'simulator') return undefined;
  if (plan.backend === 'docker' || plan.engine.source.kind !== 'executable') return profile.engine.version;
  const program = facts.executable;
  return program && !('problem' in program) && program.version !== undefined ? toPublicVersion(program.version) : undefined;
}

function checkSecurity({ subject }: DoctorContext): CheckOutcome {
  const version = subject && toVersion(subject);
  if (subject === undefined || version === undefined) return { status: 'skip', message: say('doctor.engine.no-version') };
  const open = advisories.known.filter(
    ({ since = '0', fixed }) => compareVersions(version, since) >= 0 && compareVersions(version, fixed) < 0,
  );
  const source = `${advisories.source}, ${advisories.readOn}`;
  if (open.length === 0) {
    const { length: count } = advisories.known;
    return { status: 'pass', message: say('doctor.engine.security', { version, count }), evidence: [source] };
  }
  const { host } = subject.profile.server;
  // Of all of them: what closes the holes of an old version may have those that came later.
  const floor = advisories.known.map(({ fixed }) => fixed).reduce((a, b) => (compareVersions(a, b) < 0 ? b : a));
  return {
    status: isOpen(host) ? 'fail' : 'warn',
    message: isOpen(host)
      ? say('doctor.engine.security.exposed', { version, count: open.length, host })
      : say('doctor.engine.security.holes', { version, count: open.length }),
    hint: say('doctor.engine.security.mend', { floor }),
    evidence: [...open.map(({ id, fixed }) => `${id}: < ${fixed}`), source],
  };
}

async function checkKnown({ subject, places }: DoctorContext): Promise<CheckOutcome> {
  const version = subject && toVersion(subject);
  if (version === undefined) return { status: 'skip', message: say('doctor.engine.no-version') };
  const origin = await findFlagOrigin(version, places);
  if (origin === 'shipped') return { status: 'pass', message: say('doctor.engine.known', { version }) };
  if (origin === 'read') return { status: 'pass', message: say('doctor.engine.known.read', { version }) };
  const command = `qwen-deploy engine sync-flags ${version}`;
  const message = say('doctor.engine.known.not', { version });
  return { status: 'warn', message, hint: say('doctor.engine.known.sync'), fix: { is: 'command', command } };
}

async function checkBytecode({ subject, places }: DoctorContext): Promise<CheckOutcome> {
  if (subject && !isProcess(subject)) return { status: 'skip', message: toElsewhere(subject) };
  const source = subject?.plan.engine.source;
  const program = subject?.facts.executable;
  if (source?.kind === 'executable') {
    const isElsewhere = program !== undefined && !('problem' in program) && !program.writable;
    return { status: 'pass', message: isElsewhere ? say('doctor.engine.bytecode.elsewhere') : say('doctor.engine.bytecode.itself') };
  }
  const engines = (await listEngines(places)).filter(({ program: own }) => source?.kind !== 'managed' || source.program === own);
  if (engines.length === 0) return { status: 'skip', message: say('doctor.engine.bytecode.none') };
  const compiled = await Promise.all(engines.map(hasBytecode));
  const slow = engines.find((_, at) => compiled[at] === false);
  return slow ? judgeSlow(slow) : { status: 'pass', message: say('doctor.engine.bytecode') };
}

/** As it is now: what was noted at the installation may have been made up for since, or deleted. */
async function hasBytecode({ directory, bytecode }: InstalledEngine): Promise<boolean> {
  const packages = await findSitePackages(join(directory, 'venv'));
  if (packages === undefined) return bytecode;
  const names = await readdir(join(packages, 'vllm', '__pycache__')).catch(() => []);
  return names.some((name) => name.endsWith('.pyc'));
}

function judgeSlow({ id, python, directory }: InstalledEngine): CheckOutcome {
  const command = `${python} -m compileall -q -j 0 ${join(directory, 'venv', 'lib')}`;
  const message = say('doctor.engine.bytecode.absent', { id });
  return { status: 'warn', message, hint: say('doctor.engine.bytecode.make'), fix: { is: 'command', command } };
}
