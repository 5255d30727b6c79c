/**
 * R10: a key that the profile refers to, and that the engine prints, is nowhere in what the program shows or keeps.
 * The engine's own log file has it: that is not ours to change while the engine writes it, and only its owner can
 * read it.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { killQuietly } from '../../test/scenarios/sandbox.ts';
import { type Bar, shorten } from './lib/bar.ts';
import { openStand, readQuietly, type Stand } from './lib/stand.ts';

export const canarySecret: Bar = {
  id: 'R10',
  bar: 'a canary secret found in 0 of: argv, state, events, logs shown, bundles, `status --json`',
  async prove(asked) {
    const rounds = asked.rounds(1);
    const found: string[] = [];
    const looked = new Set<string>();
    let printed = 0;
    for (let round = 0; round < rounds; round += 1) {
      const seen = await leakOnce();
      printed += seen.printed;
      for (const { name, leaks } of seen.places) {
        looked.add(name);
        if (leaks) found.push(name);
      }
    }
    return {
      met: found.length === 0 && printed > 0,
      figure: `found in ${found.length} of ${looked.size} places; the engine had printed it ${printed} times`,
      lines: [
        `looked at: ${[...looked].filter((name) => !isFile(name)).join(', ')}`,
        `and ${[...looked].filter(isFile).length} files: ${listFolders([...looked])}`,
        ...shorten(found.map((name) => `it is in ${name}`)),
      ],
    };
  },
};

function isFile(name: string): boolean {
  return name.includes('/') && !name.includes(' ');
}

function listFolders(names: readonly string[]): string {
  const folders = names.filter(isFile).map((name) => dirname(name).replace(/\/[^/]*-[^/]*-[^/]*/g, '/…'));
  return [...new Set(folders)].join(', ');
}

interface Place {
  readonly name: string;
  readonly leaks: boolean;
}

async function leakOnce(): Promise<{ readonly places: readonly Place[]; readonly printed: number }> {
  const secret = `sk-canary-${randomBytes(16).toString('hex')}`;
  const sets = ['server.api-key=env:CANARY_KEY', 'health.stall-after=1500ms', 'health.canary-interval=1s', 'restart.first-delay=100ms'];
  const stand = await openStand({ faults: 'printSecrets', sets, sandbox: { env: { CANARY_KEY: secret } } });
  const holds = (text: string) => [secret, Buffer.from(secret).toString('base64').replace(/=+$/, '')].some((form) => text.includes(form));
  try {
    const shown = new Map<string, string>();
    shown.set('up', JSON.stringify(await stand.up()));
    shown.set('argv of every process', readCommandLines());
    await stand.untilEvent(0, ({ type }) => type === 'ready');
    await freeze(stand);
    for (const [name, args] of Object.entries(commands)) {
      const { code, stdout, stderr } = await stand.box.cli(...args);
      // What fails shows nothing, least of all a secret.
      if (code !== 0) throw new Error(`${name}: exit ${code}: ${stderr}`);
      shown.set(name, stdout + stderr);
    }
    const { code, stdout } = await stand.box.cli('doctor', '--offline', '--bundle', join(stand.box.home, 'bundle.tar.gz'), '-o', 'json');
    const bundle = gunzipSync(readFileSync(join(stand.box.home, 'bundle.tar.gz'))).toString('latin1');
    shown.set('doctor --bundle', stdout + bundle);
    if (bundle.length === 0) throw new Error(`doctor --bundle: exit ${code}, and it is empty`);
    const down = await stand.down('-o', 'json');
    shown.set('down', down.stdout + down.stderr);
    const files = listFiles(stand.box.home);
    const own = (path: string) => /\/launches\/[^/]+\/engine-.*\.log/.test(path);
    const printed = files.filter(own).filter((path) => holds(readQuietly(path))).length;
    const kept = files.filter((path) => !own(path) && !path.endsWith('bundle.tar.gz')).map((path) => toKept(stand, path, holds));
    const open = files.filter((path) => own(path) && (statSync(path).mode & 0o077) !== 0);
    return { places: [...[...shown].map(([name, text]) => ({ name, leaks: holds(text) })), ...kept, ...open.map(toOpen)], printed };
  } finally {
    await stand.dispose();
  }
}

const commands: Readonly<Record<string, readonly string[]>> = {
  'status -o json': ['status', 'tiny', '-o', 'json'],
  status: ['status', 'tiny'],
  'status of all': ['status', '-o', 'json'],
  'events -o json': ['events', 'tiny', '-o', 'json'],
  events: ['events', 'tiny'],
  logs: ['logs', 'tiny'],
  'logs -o json': ['logs', 'tiny', '-o', 'json'],
  'logs --launch previous': ['logs', 'tiny', '--launch', 'previous'],
  'logs --supervisor': ['logs', 'tiny', '--supervisor'],
  plan: ['plan', '-p', 'tiny', '--set', 'server.api-key=env:CANARY_KEY', '-o', 'json'],
  'profiles show': ['profiles', 'show', 'tiny', '--explain', '-o', 'json'],
  'ask --debug': ['ask', 'Hello', '--max-tokens', '4', '--debug', '-o', 'json'],
};

/** So that there is a crash bundle too, with the log of the launch in it. */
async function freeze(stand: Stand): Promise<void> {
  const core = (await stand.box.processes()).find(({ command }) => command.startsWith('VLLM::EngineCore'));
  const seq = stand.events().at(-1)?.seq ?? 0;
  killQuietly(core?.pid ?? 0, 'SIGSTOP');
  await stand.untilEvent(seq, ({ type }) => type === 'bundle', 60_000);
  await stand.untilEvent(seq, ({ type }) => type === 'ready', 60_000);
}

function readCommandLines(): string {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => readQuietly(`/proc/${pid}/cmdline`)).join('\n');
}

function listFiles(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function toKept(stand: Stand, path: string, holds: (text: string) => boolean): Place {
  const name = path.slice(stand.box.home.length + 1).replace(/\d{6,}[^/]*/g, '…');
  return { name, leaks: holds(readFileSync(path, 'latin1')) };
}

function toOpen(path: string): Place {
  return { name: `${path}, which others can read`, leaks: true };
}
