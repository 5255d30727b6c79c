/**
 * Whether a container has lost its GPUs. With the cgroup driver `systemd`, a reload of systemd takes the devices away
 * that NVIDIA's hook has given it behind systemd's back: what is open stays open, and nothing can be opened any more.
 * Nothing but a new container helps. Only a look from inside tells.
 */
import type { Docker } from '../../host/docker/docker.ts';

/** nvidia-smi can hang, and what hangs inside cannot be ended from here: then nobody looks for a while. */
const limitMs = 5000;
const restMs = 5 * 60_000;
const words = /^Failed to initialize NVML: Unknown Error/m;

export class LostGpuLook {
  private readonly docker: () => Promise<Docker>;
  private readonly containerId: string;
  private restsUntil = Number.NEGATIVE_INFINITY;

  constructor(docker: () => Promise<Docker>, containerId: string) {
    this.docker = docker;
    this.containerId = containerId;
  }

  /** What nvidia-smi says inside when it has lost them. Undefined: it has not, there is no nvidia-smi, or nobody can tell. */
  async look(): Promise<string | undefined> {
    if (performance.now() < this.restsUntil) return undefined;
    const result = await (await this.docker()).exec(this.containerId, ['nvidia-smi', '-L'], limitMs);
    if (result === undefined) this.restsUntil = performance.now() + restMs;
    return words.exec(result?.text ?? '')?.[0];
  }
}
