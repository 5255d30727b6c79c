/** Docker's address pools against the routes of the machine: where the two meet, one side loses the other's packets. Pure. */

export interface Network {
  /** As a whole number, host order. */
  readonly base: number;
  readonly prefix: number;
}

export interface Route extends Network {
  readonly device: string;
}

export interface Pool {
  readonly base: string;
  /** Prefix of the networks that are cut out of it. */
  readonly size: number;
}

/** What Docker takes when nobody says otherwise (libnetwork, ipamutils). */
export const defaultPools: readonly Pool[] = [
  { base: '172.17.0.0/16', size: 16 },
  { base: '172.18.0.0/16', size: 16 },
  { base: '172.19.0.0/16', size: 16 },
  { base: '172.20.0.0/14', size: 16 },
  { base: '172.24.0.0/14', size: 16 },
  { base: '172.28.0.0/14', size: 16 },
  { base: '192.168.0.0/16', size: 20 },
];

export interface PoolReport {
  readonly total: number;
  readonly free: number;
  /** A network of Docker's and a route of the machine that share addresses. */
  readonly clashes: readonly { readonly docker: Route; readonly route: Route }[];
}

/** A route to everywhere is no clash: any narrower one goes before it. */
export function checkPools(pools: readonly Pool[], routes: readonly Route[]): PoolReport {
  const narrow = routes.filter(({ prefix }) => prefix > 0);
  const bridges = narrow.filter(({ device }) => isBridge(device));
  const others = narrow.filter(({ device }) => !isBridge(device));
  const clashes = bridges.flatMap((docker) => others.filter((route) => overlaps(docker, route)).map((route) => ({ docker, route })));
  const networks = pools.flatMap(toNetworks);
  const free = networks.filter((network) => !narrow.some((route) => overlaps(network, route)));
  return { total: networks.length, free: free.length, clashes };
}

/** The columns of /proc/net/route are hexadecimal numbers in the byte order of the machine, which is little here. */
export function parseRoutes(table: string): readonly Route[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([device = '', destination = '', , , , , , mask = '']) => {
      const isUsable = /^[\dA-F]{8}$/i.test(destination) && /^[\dA-F]{8}$/i.test(mask);
      return isUsable ? [{ device, base: toNumber(destination), prefix: toPrefix(toNumber(mask)) }] : [];
    });
}

/** `172.17.0.0/16`, for people. */
export function toNetworkText({ base, prefix }: Network): string {
  return `${[24, 16, 8, 0].map((shift) => (base >>> shift) & 255).join('.')}/${prefix}`;
}

/** As Docker names those that it makes. */
function isBridge(device: string): boolean {
  return /^(docker\d+|docker_gwbridge|br-[\da-f]{12})$/.test(device);
}

/** More networks than anybody makes: a large pool with small networks is counted no further. */
const mostNetworks = 4096;

/** Nothing of IPv6 pools, and of what cannot be read. */
function toNetworks({ base, size }: Pool): readonly Network[] {
  const [, a, b, c, d, bits] = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(base) ?? [];
  const prefix = Number(bits);
  if (bits === undefined || size < prefix || size > 32) return [];
  const first = (((Number(a) << 24) | (Number(b) << 16) | (Number(c) << 8) | Number(d)) & toMask(prefix)) >>> 0;
  const count = Math.min(2 ** (size - prefix), mostNetworks);
  return Array.from({ length: count }, (_, at) => ({ base: first + at * 2 ** (32 - size), prefix: size }));
}

function overlaps(a: Network, b: Network): boolean {
  const mask = toMask(Math.min(a.prefix, b.prefix));
  return (a.base & mask) === (b.base & mask);
}

function toMask(prefix: number): number {
  return prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0;
}

function toNumber(hex: string): number {
  const bytes = hex.match(/../g) ?? [];
  return Number.parseInt(bytes.toReversed().join(''), 16);
}

function toPrefix(mask: number): number {
  return Math.clz32(~mask);
}
