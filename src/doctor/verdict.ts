/** What a report comes to: the verdict, one sentence, and the command to type next. Pure. */
import { type Message, say } from '../core/message.ts';
import type { RankedProfile } from '../plan/rank.ts';
import type { DoctorReport, Verdict } from './report.ts';
import { toSetWords } from './set-words.ts';

/** Before it is known what it comes to. */
export type Findings = Omit<DoctorReport, 'verdict' | 'summary' | 'next'>;

type Conclusion = Pick<DoctorReport, 'verdict' | 'summary' | 'next'>;

export function toConclusion(found: Findings): Conclusion {
  const { subject, problem, elsewhere } = found;
  const verdict = toVerdict(found);
  if (problem) return { verdict, ...toProblem(problem, found.checks) };
  if (subject === undefined) return { verdict, summary: say('doctor.summary.machine', { count: toWorthALook(found) }) };
  const { name } = subject.plan;
  if (verdict === 'error') return { verdict, ...toRefusal(found, name) };
  const count = toWorthALook(found);
  if (subject.running) {
    const summary = count === 0 ? say('doctor.summary.up', { name }) : say('doctor.summary.up-warn', { name, count });
    return { verdict, summary, next: `qwen-deploy status ${name}` };
  }
  const next = `qwen-deploy up -p ${toRef(found)}`;
  if (elsewhere !== undefined) {
    const summary =
      count === 0 ? say('doctor.summary.there', { name, elsewhere }) : say('doctor.summary.there-warn', { name, elsewhere, count });
    return { verdict, summary, next };
  }
  return { verdict, summary: count === 0 ? say('doctor.summary.ok', { name }) : say('doctor.summary.warn', { name, count }), next };
}

function toVerdict({ checks, findings, problem }: Pick<Findings, 'checks' | 'findings' | 'problem'>): Verdict {
  if (problem || checks.some(({ needed }) => needed) || findings.some(({ severity }) => severity === 'error')) return 'error';
  return toWorthALook({ checks, findings }) > 0 ? 'warn' : 'ok';
}

function toWorthALook({ checks, findings }: Pick<Findings, 'checks' | 'findings'>): number {
  const warned = findings.filter(({ severity }) => severity === 'warning').length;
  return warned + checks.filter(({ status }) => status === 'warn' || status === 'fail').length;
}

function toProblem({ ref, error }: NonNullable<Findings['problem']>, checks: Findings['checks']): Omit<Conclusion, 'verdict'> {
  if (error.code.startsWith('profile/'))
    return { summary: say('doctor.summary.unusable', { ref }), next: `qwen-deploy profiles check ${ref}` };
  const silent = checks.find(({ group, status, fix }) => group === 'gpu' && status === 'fail' && fix?.is === 'command');
  return { summary: say('doctor.summary.none-chosen'), next: silent?.fix?.is === 'command' ? silent.fix.command : 'nvidia-smi' };
}

/** What would help: a change of the profile, another one that runs, a command; else what the gravest failure says of itself. */
function toRefusal(found: Findings, name: string): Omit<Conclusion, 'verdict'> {
  const { checks, profiles, subject, elsewhere } = found;
  const params = { name, place: toPlace(elsewhere), count: toFailed(found) };
  const cure = toCure(found);
  const failed = checks.filter(({ needed }) => needed);
  if (cure?.is === 'sets') return { summary: say('doctor.summary.no', params), next: `qwen-deploy up -p ${toRef(found)} ${cure.words}` };
  const [grave] = failed.filter(({ id }) => !ranked.includes(id));
  if (grave) return { summary: say('doctor.summary.no', params), next: cure?.words ?? `qwen-deploy explain ${grave.id}` };
  const others = profiles.filter((one) => one.name !== subject?.profile.name && isRunning(one));
  const best = others.find(({ verdict }) => verdict === 'runs-well');
  if (best) return { summary: say('doctor.summary.no-best', { ...params, best: best.name }), next: `qwen-deploy up -p ${best.name}` };
  if (others.length === 0) return { summary: say('doctor.summary.no', params), ...(cure ? { next: cure.words } : {}) };
  const names = others.slice(0, 4).map((one) => one.name);
  const summary = say('doctor.summary.no-others', { ...params, names: names.join(', ') });
  // What of it is within reach (engine, weights), `up` finds out by itself; from a silent GPU it does not step down.
  const isForUp = elsewhere === undefined && subject?.facts.gpus?.is !== 'silent';
  return { summary, next: isForUp ? 'qwen-deploy up' : `qwen-deploy up -p ${names[0] ?? ''}` };
}

/** What the ranking knows of: where only these fail, another profile may run. All others stand in the way of those too. */
const ranked: readonly string[] = ['gpu.present', 'gpu.capability', 'gpu.memory'];

function toPlace(elsewhere: string | undefined): Message {
  return elsewhere === undefined ? say('doctor.place.here') : say('doctor.place.there', { elsewhere });
}

function toFailed({ checks, findings }: Pick<Findings, 'checks' | 'findings'>): number {
  return checks.filter(({ needed }) => needed).length + findings.filter(({ severity }) => severity === 'error').length;
}

type Cure = { readonly is: 'sets' | 'command'; readonly words: string };

/** Settings only where they cure everything that is in the way. */
function toCure({ checks, findings }: Findings): Cure | undefined {
  const fixes = checks.flatMap(({ needed, fix }) => (needed ? [fix] : []));
  const sets = fixes.flatMap((fix) => (fix?.is === 'profile' ? [fix.set] : []));
  const isAll = sets.length === fixes.length && sets.length > 0 && !findings.some(({ severity }) => severity === 'error');
  if (isAll) return { is: 'sets', words: sets.map(toSetWords).join(' ') };
  const command = fixes.find((fix) => fix?.is === 'command');
  return command?.is === 'command' ? { is: 'command', words: command.command } : undefined;
}

function isRunning({ verdict }: RankedProfile): boolean {
  return verdict === 'runs-well' || verdict === 'runs';
}

/** As a command line names it. */
function toRef({ subject }: Pick<Findings, 'subject'>): string {
  const { name = '', source = '' } = subject?.profile ?? {};
  return source.startsWith('shipped:') ? name : source;
}
