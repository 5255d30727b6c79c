/** A launch → the container that it is, option by option (docs/docker.md says why). Pure. */
import type { CreateBody, DeviceRequest, DockerMount, HostConfig } from '../../host/docker/docker.ts';
import type { ContainerSpec, LaunchResources, LaunchSpec } from '../../plan/launch-spec.ts';
import type { LaunchRecord } from '../runtime.ts';
import { toLabels } from './labels.ts';
import { secretsTarget, withSecrets } from './secrets.ts';

export interface ContainerOrder {
  readonly deployment: string;
  readonly spec: LaunchSpec;
  readonly container: ContainerSpec;
  readonly record: LaunchRecord;
  /** Mark of the home that it belongs to. */
  readonly home?: string;
  /** File of this machine with the launch's secrets; absent where it has none. */
  readonly secretsFile?: string;
}

export function toCreateBody(order: ContainerOrder): CreateBody {
  const body = toPlainBody(order);
  return { ...body, Env: [...body.Env, `QWEN_DEPLOY_LAUNCH_ID=${order.record.launchId}`], Labels: toLabels(order) };
}

/** The same without what makes it ours to know again: nobody of us starts it. */
export function toPlainBody({ spec, container, secretsFile }: Pick<ContainerOrder, 'spec' | 'container' | 'secretsFile'>): CreateBody {
  const command = secretsFile === undefined ? [spec.program, ...spec.args] : withSecrets([spec.program, ...spec.args]);
  const [entry = spec.program, ...rest] = command;
  const secret = secretsFile === undefined ? [] : [{ source: secretsFile, target: secretsTarget, readOnly: true }];
  const inside = `${container.port}/tcp`;
  return {
    Image: container.image,
    Entrypoint: [entry],
    Cmd: rest,
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    Labels: {},
    ...(container.user === undefined ? {} : { User: container.user }),
    // Of the image it might be a directory that this user cannot enter.
    WorkingDir: '/',
    StopTimeout: container.stopSeconds,
    ExposedPorts: { [inside]: {} },
    HostConfig: {
      ...toHostConfig(container, spec.resources),
      PortBindings: { [inside]: [{ HostIp: spec.endpoint.host, HostPort: String(spec.endpoint.port) }] },
      Mounts: [...container.mounts, ...secret].map(toMount),
    },
  };
}

/** Enough for the threads of all workers, and an end to a fork bomb. */
const mostPids = 16_384;

type Fixed = Omit<HostConfig, 'PortBindings' | 'Mounts'>;

function toHostConfig({ shmBytes, gpus, log }: ContainerSpec, { cpus, memoryBytes, pids, nofile }: LaunchResources): Fixed {
  return {
    // Python handles no SIGTERM while it imports: as the first process it could not be stopped then (and nobody reaps).
    Init: true,
    // Restarts are ours, with back-off and reasons.
    RestartPolicy: { Name: 'no' },
    AutoRemove: false,
    ShmSize: shmBytes,
    ReadonlyRootfs: true,
    // For sockets and files of a moment; code is made and loaded there (JIT), so it is not mounted noexec.
    Tmpfs: { '/tmp': 'rw,exec,nosuid,nodev,mode=1777', '/run': 'rw,noexec,nosuid,nodev,mode=755' },
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    LogConfig: { Type: 'local', Config: { 'max-size': String(log.maxSizeBytes), 'max-file': String(log.files) } },
    ...(cpus === undefined ? {} : { CpusetCpus: cpus }),
    // As much swap as memory in Docker's counting is none: an engine that swaps answers nobody.
    ...(memoryBytes === undefined ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
    PidsLimit: pids ?? mostPids,
    Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }, ...(nofile === undefined ? [] : [{ Name: 'nofile', Soft: nofile, Hard: nofile }])],
    ...(gpus === undefined ? {} : { DeviceRequests: [toDeviceRequest(gpus)] }),
  };
}

function toDeviceRequest({ by, ids }: NonNullable<ContainerSpec['gpus']>): DeviceRequest {
  if (by === 'cdi') return { Driver: 'cdi', DeviceIDs: ids.map((id) => `nvidia.com/gpu=${id}`) };
  return { Driver: 'nvidia', DeviceIDs: ids, Capabilities: [['gpu', 'compute', 'utility']] };
}

function toMount({ source, target, readOnly }: ContainerSpec['mounts'][number]): DockerMount {
  return { Type: 'bind', Source: source, Target: target, ReadOnly: readOnly };
}
