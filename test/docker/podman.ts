/** Podman as Docker's API shows it: an engine of a test's own, asked with Docker's program like dockerd. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bridge, chooseBridge, makeEngineDirectory, startGuarded, type TestEngine } from './engine.ts';

const runtime = new URL('podman-runtime.sh', import.meta.url).pathname;

/**
 * Its service keeps nothing alive: `halt` leaves containers as they are. Storage, locks, addresses and configuration lie
 * in its directory; of the machine it uses a bridge of its own and the chains of iptables that carry ports.
 */
export async function startPodman(): Promise<TestEngine> {
  const [directory, bridge] = [await makeEngineDirectory(), await chooseBridge()];
  const at = (name: string) => join(directory, name);
  await mkdir(at('cni'));
  await writeFile(at('cni/podman.conflist'), JSON.stringify(toNetwork(bridge, at('addresses'))));
  await writeFile(at('containers.conf'), toConfiguration(directory));
  await writeFile(at('storage.conf'), toToml({ storage: { driver: 'overlay', runroot: at('run'), graphroot: at('data') } }));
  const socket = at('podman.sock');
  return startGuarded({
    ...{ directory, socket, program: 'podman', args: ['system', 'service', '--time=0', `unix://${socket}`] },
    env: { ...bridge.env, CONTAINERS_CONF: at('containers.conf'), CONTAINERS_STORAGE_CONF: at('storage.conf') },
  });
}

function toConfiguration(directory: string): string {
  const at = (name: string) => join(directory, name);
  return toToml({
    network: { network_backend: 'cni', default_network: 'podman', network_config_dir: at('cni') },
    engine: {
      ...{ runtime: 'test', cgroup_manager: 'cgroupfs', events_logger: 'file' },
      // The usual locks are one for all Podmans of a machine.
      ...{ lock_type: 'file', tmp_dir: at('tmp') },
    },
    'engine.runtimes': { test: [runtime] },
  });
}

/** The bridge is there already, with its address: nothing is forwarded that was not before. */
function toNetwork({ name, network }: Bridge, dataDir: string) {
  const ipam = { type: 'host-local', dataDir, ranges: [[{ subnet: `${network}0/24`, gateway: `${network}1` }]] };
  const plugins = [
    { type: 'bridge', bridge: name, ipam },
    { type: 'portmap', capabilities: { portMappings: true } },
  ];
  return { cniVersion: '0.4.0', name: 'podman', plugins };
}

function toToml(sections: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>): string {
  return Object.entries(sections)
    .map(([section, values]) => {
      const lines = Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
      return `[${section}]\n${lines.join('')}`;
    })
    .join('\n');
}
