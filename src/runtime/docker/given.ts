/** What a container was given, as its engine tells it. Pure. */
import type { Container } from '../../host/docker/docker.ts';

/** Absent: nobody can tell. Infinite: as much as there is. */
export interface Given {
  readonly memoryBytes?: number;
  readonly swapBytes?: number;
  readonly pids?: number;
  readonly nofile?: number;
  /** Linux CPU list; empty: all. */
  readonly cpus?: string;
  /** Ids as they were ordered; absent too where the engine has only devices. */
  readonly gpus?: readonly string[];
}

export function toGiven({ hostConfig }: Pick<Container, 'hostConfig'>): Given {
  const { Memory: memory, MemorySwap: both, PidsLimit: pids, CpusetCpus: cpus, DeviceRequests: requests, Devices: devices } = hostConfig;
  const memoryBytes = toCap(memory);
  // Memory and swap together; 0 is Docker's own choice: as much again.
  const swapBytes = memoryBytes === undefined || typeof both !== 'number' ? undefined : both === 0 ? memoryBytes : toCap(both, memoryBytes);
  const nofile = toNofile(hostConfig.Ulimits);
  const gpus = requests === undefined || (Array.isArray(devices) && devices.length > 0) ? undefined : toIds(requests);
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(swapBytes === undefined ? {} : { swapBytes }),
    ...(pids === undefined ? {} : { pids: toCap(pids ?? 0) ?? Number.POSITIVE_INFINITY }),
    ...(nofile === undefined ? {} : { nofile }),
    ...(typeof cpus === 'string' ? { cpus } : {}),
    ...(gpus === undefined ? {} : { gpus }),
  };
}

/** 0 and less: none. `less`: what is counted with it. */
function toCap(value: unknown, less = 0): number | undefined {
  if (typeof value !== 'number') return undefined;
  return value <= 0 ? Number.POSITIVE_INFINITY : value - less;
}

function toNofile(limits: unknown): number | undefined {
  const found: unknown = Array.isArray(limits) ? limits.find((limit) => limit?.Name === 'nofile') : undefined;
  const soft = typeof found === 'object' && found !== null ? Reflect.get(found, 'Soft') : undefined;
  return typeof soft === 'number' ? soft : undefined;
}

/** `null`: there was no request. */
function toIds(requests: unknown): readonly string[] {
  if (!Array.isArray(requests)) return [];
  return requests.flatMap((request) => {
    const ids: unknown = typeof request === 'object' && request !== null ? Reflect.get(request, 'DeviceIDs') : undefined;
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string').map((id) => id.replace(/^nvidia\.com\/gpu=/, '')) : [];
  });
}
