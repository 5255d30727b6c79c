/** systemctl, loginctl and systemd-notify as far as `install` and a supervisor ask them, as programs for a PATH. */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface StandInSystemd {
  /** Goes in front of PATH. */
  readonly bin: string;
  /** What systemctl was told. */
  readonly calls: () => Promise<readonly string[]>;
  /** What systemd-notify was told. */
  readonly notified: () => Promise<readonly string[]>;
}

export interface StandInOptions {
  readonly lingers?: boolean;
  /** What a command of systemctl fails with, by its first word. */
  readonly failing?: Readonly<Record<string, string>>;
}

export async function createStandInSystemd(home: string, { lingers = false, failing = {} }: StandInOptions = {}): Promise<StandInSystemd> {
  const directory = join(home, 'stand-in');
  const bin = join(directory, 'bin');
  await mkdir(bin, { recursive: true });
  const programs = {
    systemctl: `#!${process.execPath}\n${systemctl(directory, join(home, '.config/systemd/user'), failing)}`,
    loginctl: `#!/bin/sh\necho ${lingers ? 'yes' : 'no'}\n`,
    'systemd-notify': `#!/bin/sh\nprintf '%s\\n' "$@" >> '${directory}/notified'\n`,
  };
  for (const [name, text] of Object.entries(programs)) {
    await writeFile(join(bin, name), text);
    await chmod(join(bin, name), 0o755);
  }
  const readLines = async (file: string) =>
    (await readFile(join(directory, file), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  return { bin, calls: () => readLines('calls'), notified: () => readLines('notified') };
}

/** Starts what a unit says, as systemd would: its words unescaped, its variables, the socket and the pid that is meant. */
function systemctl(directory: string, units: string, failing: Readonly<Record<string, string>>): string {
  return `
const { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { spawn } = require('node:child_process');
const [directory, units, failing] = ${JSON.stringify([directory, units, failing])};
const words = process.argv.slice(3);
appendFileSync(directory + '/calls', words.join(' ') + '\\n');
const [verb] = words;
const unit = words.at(-1);
const marker = (kind) => directory + '/' + unit + '.' + kind;
const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const pid = () => Number(read(marker('pid')));
const isAlive = () => pid() > 1 && existsSync('/proc/' + pid() + '/stat') && !/\\) [ZX] /.test(read('/proc/' + pid() + '/stat'));
const unescape = (word) => word.replace(/\\\\(.)/g, '$1').replaceAll('%%', '%');
const quoted = (line) => [...line.matchAll(/"((?:[^"\\\\]|\\\\.)*)"/g)].map((match) => unescape(match[1]));

async function start() {
  const lines = readFileSync(units + '/' + unit, 'utf8').split('\\n');
  const command = quoted(lines.find((line) => line.startsWith('ExecStart=')));
  const variables = lines.filter((line) => line.startsWith('Environment=')).flatMap(quoted);
  const env = { HOME: process.env.HOME, NOTIFY_SOCKET: '/nobody/listens', WATCHDOG_USEC: '300000' };
  for (const variable of variables) env[variable.slice(0, variable.indexOf('='))] = variable.slice(variable.indexOf('=') + 1);
  rmSync(directory + '/notified', { force: true });
  const child = spawn('sh', ['-c', 'WATCHDOG_PID=$$ exec "$@"', 'sh', ...command], { env, detached: true, stdio: 'ignore' });
  child.unref();
  writeFileSync(marker('pid'), String(child.pid));
  for (let tries = 0; tries < 200 && !read(directory + '/notified').includes('READY=1'); tries += 1) await pause(50);
}

async function stop() {
  if (isAlive()) process.kill(pid(), 'SIGTERM');
  while (isAlive()) await pause(20);
}

async function main() {
  if (failing[verb]) {
    console.error(failing[verb]);
    process.exit(1);
  }
  if (verb === 'is-system-running') console.log('running');
  if (verb === 'enable') writeFileSync(marker('enabled'), '');
  if (verb === 'disable') {
    rmSync(marker('enabled'), { force: true });
    if (words.includes('--now')) await stop();
  }
  if (verb === 'is-enabled') console.log(existsSync(marker('enabled')) ? 'enabled' : 'disabled');
  if (verb === 'is-active') console.log(isAlive() ? 'active' : 'inactive');
  if (verb === 'restart') await stop();
  if (verb === 'restart' || (verb === 'start' && !isAlive())) await start();
}
main();
`;
}
