/** Everything of a container launch that may still be there: the container, its processes, its files. */
import { rm } from 'node:fs/promises';
import { waitFor } from '../../core/clock.ts';
import { DeployError } from '../../core/error.ts';
import type { Survivor } from '../../core/event.ts';
import type { Container, Docker } from '../../host/docker/docker.ts';
import { ProcessRemains } from '../remains.ts';
import type { LaunchRecord, Remains } from '../runtime.ts';
import { isOutOfSight } from '../sight.ts';
import { toDockerFiles } from './files.ts';
import { labelNames } from './labels.ts';

const sweepMs = 100;
/** Of the kernel, where the engine does not do it. */
const kernelMs = 1000;
/** How long an engine that cannot be asked is asked again, where nothing is left to be killed. */
const askAgainMs = 2000;

export class DockerRemains implements Remains {
  readonly record: LaunchRecord;
  protected readonly docker: () => Promise<Docker>;
  private known: { readonly id: string | undefined; readonly processes: ProcessRemains } | undefined;

  constructor(record: LaunchRecord, docker: () => Promise<Docker>) {
    this.record = record;
    this.docker = docker;
  }

  async members(): Promise<readonly Survivor[]> {
    const seen = await (await this.toProcesses()).members();
    if (seen.length > 0) return seen;
    const running = (await this.find()).filter(isRunning);
    // Of an engine elsewhere, or in a virtual machine, no process can be seen.
    return running.map(({ pid, name }) => ({ pid, command: `container ${name}`, state: 'R' }));
  }

  async kill(withinMs: number): Promise<readonly Survivor[]> {
    const begun = performance.now();
    for (;;) {
      const problem = await this.killContainers();
      // Where the engine does not do it (it hangs, it is gone), the kernel does, if we may.
      const left = problem === undefined ? await this.members() : await (await this.toProcesses()).kill(Math.min(withinMs, kernelMs));
      if (left.length === 0 && problem === undefined) return [];
      const patienceMs = isOutOfSight(problem) && left.length === 0 ? Math.min(withinMs, askAgainMs) : withinMs;
      if (performance.now() - begun > patienceMs) {
        // It is the engine that does not end them, not they that cannot be ended.
        if (left.length > 0 && !isOutOfSight(problem)) return left;
        throw problem;
      }
      await waitFor(sweepMs);
    }
  }

  /** By the control group. An engine elsewhere, or in a virtual machine, has never shown us a process. */
  async isGone(): Promise<boolean | undefined> {
    const { containerId, process } = this.record;
    if (containerId === undefined || process === undefined) return undefined;
    return (await (await this.toProcesses()).members()).length === 0;
  }

  /** Docker's own proxy carries what comes to the port, and goes with it even where containers outlive it. */
  async checkSight(): Promise<void> {
    await (await this.docker()).inspect(this.record.containerId ?? '');
  }

  async tidy(): Promise<void> {
    const docker = await this.docker();
    for (const { id } of await this.find()) await docker.remove(id, { force: true });
    await (await this.toProcesses()).tidy();
    for (const path of Object.values(toDockerFiles(this.record))) await rm(path, { force: true });
  }

  async sample(): Promise<void> {
    // Nothing of it can leave the container.
  }

  /** By id, and by label: the answer to `create` may have been lost. */
  protected async find(): Promise<readonly Container[]> {
    const docker = await this.docker();
    const labelled = await docker.list([`${labelNames.launch}=${this.record.launchId}`]);
    const { containerId } = this.record;
    const ids = new Set([...(containerId === undefined ? [] : [containerId]), ...labelled.map(({ id }) => id)]);
    const found: Container[] = [];
    for (const id of ids) {
      const container = await docker.inspect(id);
      // A number of ours with somebody else's label: ids are not given out twice, so it was never ours.
      if (container?.labels[labelNames.launch] === this.record.launchId) found.push(container);
    }
    return found;
  }

  /** Its processes, as this machine's /proc shows them: by the control group, which a container cannot leave. */
  private async toProcesses(): Promise<ProcessRemains> {
    // A record from before the answer to `create` has no id.
    const id = this.record.containerId ?? (await this.find().catch(() => []))[0]?.id;
    if (this.known === undefined || this.known.id !== id) {
      const { memoryGroup: _memory, pidsGroup: _pids, ...own } = this.record;
      this.known = { id, processes: new ContainerProcesses(id === undefined ? own : { ...own, containerId: id }) };
    }
    return this.known.processes;
  }

  private async killContainers(): Promise<unknown> {
    try {
      const docker = await this.docker();
      for (const container of (await this.find()).filter(isRunning)) {
        if (container.state === 'paused') await docker.unpause(container.id);
        await docker.signal(container.id, 'SIGKILL');
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof DeployError)) throw error;
      return error;
    }
  }
}

/** Its groups are Docker's to remove, and its shared memory is its own: a file of ours with the same number is a stranger's. */
class ContainerProcesses extends ProcessRemains {
  override async sample(): Promise<void> {
    // see above
  }
}

export function isRunning({ state }: Container): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting' || state === 'removing';
}
