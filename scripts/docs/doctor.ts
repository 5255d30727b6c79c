// docs/doctor.md: scripts/docs/doctor.md with the checks in its place.
import { readFile } from 'node:fs/promises';
import type { MessageId } from '../../src/core/message.ts';
import { type Check, checkGroups, type DoctorSubject } from '../../src/doctor/check.ts';
import { checks } from '../../src/doctor/checks/index.ts';
import { toPackagePath } from '../../src/host/package-files.ts';
import type { Facts } from '../../src/plan/facts.ts';
import { planDeployment } from '../../src/plan/make-plan.ts';
import { listProfiles, loadProfile } from '../../src/profile/load.ts';
import type { Profile } from '../../src/profile/profile.ts';
import { toText } from '../../src/text/render.ts';
import { code, renderTable, where } from './profiles.ts';

export async function renderDoctorPage(): Promise<string> {
  const template = await readFile(toPackagePath('scripts', 'docs', 'doctor.md'), 'utf8');
  const subjects = await readSubjects();
  const groups = checkGroups.map((group) => {
    const rows = checks.filter((check) => check.group === group).map((check) => toRow(check, subjects));
    return `### ${toText({ id: `doctor.group.${group}`, params: {} })}\n\n${renderTable(['check', 'what it asks', 'what mends it', 'needed by'], rows)}`;
  });
  return template.replace('{{checks}}', groups.join('\n\n'));
}

function toRow(check: Check, subjects: readonly DoctorSubject[]): readonly string[] {
  const toSentence = (part: string) => toText({ id: `check.${check.id}.${part}` as MessageId, params: {} });
  return [code(check.id), toSentence('meaning'), toSentence('mend'), toUsers(check, subjects)];
}

/** Every shipped profile, on a machine that is of no matter. */
async function readSubjects(): Promise<readonly DoctorSubject[]> {
  const entries = await listProfiles(where);
  const profiles = await Promise.all(entries.map(({ name }) => loadProfile(name, { ...where, sets: [] })));
  return profiles.map((profile) => {
    const facts = toFacts(profile);
    const { plan } = planDeployment({ profile, name: profile.name, facts, places: where.places, simulatorEntry: '' });
    return { profile, plan, facts, asked: true, running: false };
  });
}

function toFacts(profile: Profile): Facts {
  return {
    backend: profile.engine.backend === 'simulator' ? 'simulator' : 'process',
    gpus: { is: 'present', gpus: [] },
    cpus: [0, 1, 2, 3],
    memoryTotalBytes: 2 ** 34,
    engines: [],
    model: profile.model.source === 'hub' ? { is: 'hub', cached: false } : { is: 'miniature' },
    port: { is: 'free' },
  };
}

function toUsers({ isNeeded }: Check, subjects: readonly DoctorSubject[]): string {
  const users = subjects.filter((subject) => isNeeded?.(subject) === true);
  const kinds: readonly (readonly [string, (subject: DoctorSubject) => boolean])[] = [
    ['all', () => true],
    ['all but the simulator', ({ plan }) => !plan.simulated],
    ['those for GPUs', ({ profile, plan }) => profile.engine.variant === 'gpu' && !plan.simulated],
    ['those for CPUs', ({ profile, plan }) => profile.engine.variant === 'cpu' && !plan.simulated],
  ];
  const kind = kinds.find(([, isOne]) => subjects.every((subject) => users.includes(subject) === isOne(subject)));
  if (users.length === 0) return '';
  return kind?.[0] ?? users.map(({ profile }) => code(profile.name)).join(', ');
}
