/**
 * Which processes belong to a launch. vLLM's EngineCore and workers overwrite their command line and environment,
 * so neither can tell. What holds for all of them (any one is enough):
 *  (a) the session id is the keeper's pid, and the process is not older than the keeper;
 *  (b) descriptor 1 or 2 is the launch's own log file;
 *  (c) its parent is a member, or was when we last looked (kept in `seen`).
 * The kernel does not give a number out again while it is some process's pid, group or session, so (a) can only be
 * fooled after the whole session is gone: then the number's new owner is a session leader with another start time,
 * which voids (a).
 */
import { isDead, listProcesses, type ProcessFacts, readDescriptor } from '../host/proc.ts';
import type { ProcessIdentity } from './runtime.ts';

export interface LaunchMarks {
  readonly keeper: ProcessIdentity;
  readonly logFile: string;
}

export class Membership {
  private readonly marks: LaunchMarks;
  /** pid → start ticks of every process that was ever found to be a member. */
  private readonly seen = new Map<number, number>();

  constructor(marks: LaunchMarks) {
    this.marks = marks;
  }

  /** Live members, the keeper left out. */
  async find(): Promise<readonly ProcessFacts[]> {
    const { keeper } = this.marks;
    const all = await listProcesses();
    const young = all.filter((facts) => facts.pid !== keeper.pid && facts.startTicks >= keeper.startTicks);
    const leader = all.find((facts) => facts.pid === keeper.pid);
    const sessionIsOurs = leader === undefined || leader.startTicks === keeper.startTicks;

    const direct = new Set<number>();
    await Promise.all(
      young.map(async (facts) => {
        const known = this.seen.get(facts.pid) === facts.startTicks;
        const inSession = sessionIsOurs && facts.session === keeper.pid;
        if (known || inSession || (await this.holdsLog(facts.pid))) direct.add(facts.pid);
      }),
    );
    const members = addDescendants(young, direct);
    for (const facts of members) this.seen.set(facts.pid, facts.startTicks);
    return members.filter((facts) => !isDead(facts));
  }

  private async holdsLog(pid: number): Promise<boolean> {
    const [out, err] = await Promise.all([readDescriptor(pid, 1), readDescriptor(pid, 2)]);
    const { logFile } = this.marks;
    return [out, err].some((target) => target === logFile || target === `${logFile} (deleted)`);
  }
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
