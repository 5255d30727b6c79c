// npm run lock: after a change of dependencies. A registry mirror that lacks some other platform's binary package
// makes npm leave it out of the lock file, and then `npm ci` refuses the whole of it. This writes the missing
// entries back, with the platform that their names tell, so that npm knows them and skips them.
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));

const systems = {
  android: 'android',
  darwin: 'darwin',
  win32: 'win32',
  windows: 'win32',
  freebsd: 'freebsd',
  netbsd: 'netbsd',
  openbsd: 'openbsd',
  openharmony: 'openharmony',
  sunos: 'sunos',
  aix: 'aix',
  linux: 'linux',
};
const processors = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32'];

for (const owner of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key]) continue;
    if (!/^\d/.test(version)) throw new Error(`${name}@${version}: only exact versions can be written back`);
    lock.packages[key] = toEntry(name, version);
    console.log(`added ${name}@${version}`);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);

function toEntry(name, version) {
  const words = name.split(/[/-]/);
  const os = words.map((word) => systems[word]).find((system) => system !== undefined);
  const cpu = processors.find((processor) => words.includes(processor)) ?? (words.includes('armv7') ? 'arm' : undefined);
  if (cpu === undefined) throw new Error(`${name}: its platform cannot be told from its name`);
  const libc = words.includes('musl') ? ['musl'] : words.includes('gnu') ? ['glibc'] : undefined;
  return { version, cpu: [cpu], dev: true, ...(libc ? { libc } : {}), optional: true, ...(os ? { os: [os] } : {}) };
}
