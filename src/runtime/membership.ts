/**
 * Which processes belong to a launch. vLLM's EngineCore and workers overwrite their command line and environment,
 * so neither can tell. What holds for all of them (any one is enough):
 *  (a) the session id is the keeper's pid, and the process is not older than the keeper;
 *  (b) descriptor 1 or 2 is the launch's own log file;
 *  (c) its parent is a member, or was when we last looked (kept in `seen`);
 *  (d) of a launch in a container, and of none other: its control group is the container's.
 *
 * The kernel does not give a number out again while it is some process's pid, group or session, so (a) can only be
 * fooled after the whole session is gone. Then the number's new owner is a session leader with another start time,
 * which voids (a); and once that one has gone too, only its children are left, with nothing but a number. So a
 * session without its leader counts only if a process in it is known by something else: its log, an earlier look,
 * or the launch's id in its environment.
 *
 * A supervisor that was killed right after it had started the keeper has left a record without it: then the sessions
 * of those who hold the log are the launch's. Nothing reaches over a restart of the machine (see `ProcessRemains`).
 */
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isInContainer } from '../host/container-group.ts';
import { inTurns, isDead, listProcesses, type ProcessFacts, readDescriptor, readUptimeTicks } from '../host/proc.ts';
import type { ProcessIdentity } from './runtime.ts';

export interface LaunchMarks {
  readonly launchId: string;
  readonly logFile: string;
  readonly keeper?: ProcessIdentity;
  readonly containerId?: string;
}

export class Membership {
  private readonly marks: LaunchMarks;
  /** pid → start ticks of every process that was ever found to be a member. */
  private readonly seen = new Map<number, number>();

  constructor(marks: LaunchMarks) {
    this.marks = marks;
  }

  /** Live members, the keeper left out where it is known. */
  async find(): Promise<readonly ProcessFacts[]> {
    const { keeper } = this.marks;
    const all = await listProcesses();
    const young = all.filter((facts) => facts.pid !== keeper?.pid && facts.startTicks >= (keeper?.startTicks ?? 0));
    const direct = await this.findDirect(young);
    // Sessions of a container are its own business: by its group all are known.
    if (this.marks.containerId !== undefined) return this.note(young, direct);
    const sessions = keeper ? await this.checkSession(keeper, { all, young, direct }) : toSessions(young, direct);
    for (const facts of young) if (sessions.has(facts.session)) direct.add(facts.pid);
    return this.note(young, direct);
  }

  private note(young: readonly ProcessFacts[], direct: ReadonlySet<number>): readonly ProcessFacts[] {
    const members = addDescendants(young, direct);
    const now = readUptimeTicks();
    // Within one tick a stranger could get the same number and the same start time.
    for (const facts of members) if (now > facts.startTicks) this.seen.set(facts.pid, facts.startTicks);
    return members.filter((facts) => !isDead(facts));
  }

  /** Those that are known one by one. */
  private async findDirect(young: readonly ProcessFacts[]): Promise<Set<number>> {
    const { containerId } = this.marks;
    const log = await toRealPath(this.marks.logFile);
    const isMarked = ({ pid }: ProcessFacts) => (containerId === undefined ? holdsLog(pid, log) : isInContainer(pid, containerId));
    const found = await inTurns(young, async (facts) => this.seen.get(facts.pid) === facts.startTicks || (await isMarked(facts)));
    return new Set(young.filter((_, index) => found[index]).map(({ pid }) => pid));
  }

  /** The keeper's session, if it is still the keeper's. */
  private async checkSession(keeper: ProcessIdentity, { all, young, direct }: Look): Promise<ReadonlySet<number>> {
    const session = new Set([keeper.pid]);
    const leader = all.find((facts) => facts.pid === keeper.pid);
    if (leader) return leader.startTicks === keeper.startTicks ? session : new Set();
    for (const facts of young) {
      if (facts.session !== keeper.pid) continue;
      if (direct.has(facts.pid) || (await this.carriesLaunchId(facts.pid))) return session;
    }
    return new Set();
  }

  private async carriesLaunchId(pid: number): Promise<boolean> {
    // Gone, not ours to read, or overwritten: it says nothing then.
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    return environment.split('\0').includes(`QWEN_DEPLOY_LAUNCH_ID=${this.marks.launchId}`);
  }
}

interface Look {
  readonly all: readonly ProcessFacts[];
  readonly young: readonly ProcessFacts[];
  readonly direct: ReadonlySet<number>;
}

async function holdsLog(pid: number, log: string): Promise<boolean> {
  const [out, err] = await Promise.all([readDescriptor(pid, 1), readDescriptor(pid, 2)]);
  return [out, err].some((target) => target === log || target === `${log} (deleted)`);
}

/** The kernel shows descriptors without links; the file itself may have been deleted, its directory rarely. */
async function toRealPath(path: string): Promise<string> {
  const directory = await realpath(dirname(path)).catch(() => dirname(path));
  return join(directory, basename(path));
}

function toSessions(young: readonly ProcessFacts[], direct: ReadonlySet<number>): ReadonlySet<number> {
  return new Set(young.filter(({ pid }) => direct.has(pid)).map(({ session }) => session));
}

function addDescendants(all: readonly ProcessFacts[], roots: ReadonlySet<number>): readonly ProcessFacts[] {
  const members = new Set(roots);
  for (let grew = true; grew; ) {
    grew = false;
    for (const facts of all) {
      if (!members.has(facts.pid) && members.has(facts.ppid)) {
        members.add(facts.pid);
        grew = true;
      }
    }
  }
  return all.filter((facts) => members.has(facts.pid));
}
