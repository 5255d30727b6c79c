// The same program under this supervisor, under pm2 and under supervisord: each gives its pid or status, and a way to end it.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, mainFile, timeRun } from '../lib.mjs';
import { readMarks, readStat, writeProgram } from './program.mjs';

const pm2Version = '7.0.4';
const supervisorVersion = '4.3.0';

/** `place`: the benchmark's home, the environment of everything in it, and where the peers are installed. */
export async function startOurs({ home, env }, { children, more = [] }) {
  const directory = join(home, `ours-${Math.random().toString(36).slice(2)}`);
  const made = writeProgram(directory, { children, port: await freePort() });
  const own = { env: { ...env, HOME: directory, QWEN_DEPLOY_HOME: join(directory, 'qd') }, cwd: directory };
  const sets = [
    `engine.executable=${made.program}`,
    `server.port=${made.port}`,
    'restart.first-delay=0s',
    'restart.max-delay=0s',
    'restart.max-failures=100',
    ...more,
  ];
  await timeRun(process.execPath, [mainFile, 'up', '-p', 'tiny', ...sets.flatMap((set) => ['--set', set])], own);
  const end = () => timeRun(process.execPath, [mainFile, 'down', '--all', '--force'], own);
  const status = async () =>
    JSON.parse(
      (
        await timeRun(process.execPath, [mainFile, 'status', 'tiny', '-o', 'json'], { ...own, stdio: ['ignore', 'pipe', 'ignore'] }).catch(
          () => ({ output: '{}' }),
        )
      ).output,
    );
  return { ...made, end, status };
}

export async function pm2({ env, tools }, made) {
  const directory = join(made.program, '..');
  const own = { env: { ...env, PM2_HOME: join(directory, 'pm2') }, cwd: directory };
  const file = join(directory, 'ecosystem.json');
  const app = {
    name: 'engine',
    script: made.program,
    args: made.args,
    interpreter: 'none',
    restart_delay: 0,
    max_restarts: 1000,
    autorestart: true,
  };
  writeFileSync(file, JSON.stringify({ apps: [app] }));
  const run = (...args) => timeRun(join(tools, 'node_modules/.bin/pm2'), args, own);
  await run('start', file);
  const pid = Number(readFileSync(join(directory, 'pm2/pm2.pid'), 'utf8'));
  return { ...made, pid, end: () => endPeer(made, () => run('kill')) };
}

export async function supervisord({ env, tools }, made) {
  const directory = join(made.program, '..');
  const file = join(directory, 'supervisord.conf');
  const command = [made.program, ...made.args].join(' ');
  const lines = [
    '[supervisord]',
    'nodaemon=true',
    `logfile=${directory}/supervisord.log`,
    `pidfile=${directory}/supervisord.pid`,
    '[program:engine]',
    `command=${command}`,
    'autorestart=true',
    'startsecs=0',
    'startretries=1000',
    `stdout_logfile=${directory}/out.log`,
    `stderr_logfile=${directory}/err.log`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const child = spawn(join(tools, 'venv/bin/supervisord'), ['-c', file], { env, cwd: directory, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    ...made,
    pid: child.pid,
    end: () =>
      endPeer(made, async () => {
        child.kill('SIGTERM');
        await ended;
      }),
  };
}

/** Peers leave the orphans of killed servers behind: whatever carries this program's directory in its command line, or its session, goes. */
async function endPeer({ marks }, stop) {
  await stop();
  const sessions = new Set(readMarks(marks).map(([, pid]) => pid));
  for (const pid of readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)) {
    const stat = readStat(pid);
    const started = stat && (sessions.has(stat.group) || sessions.has(stat.session) || sessions.has(stat.parent));
    if (started || (stat?.name.startsWith('VLLM::') && readOutput(pid).startsWith(join(marks, '..')))) killQuietly(pid);
  }
}

function readOutput(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function killQuietly(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ended meanwhile
  }
}

export function installPeers({ tools }) {
  mkdirSync(tools, { recursive: true });
  writeFileSync(join(tools, 'package.json'), '{"private":true}');
  must('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `pm2@${pm2Version}`], { cwd: tools });
  must('python3', ['-m', 'venv', join(tools, 'venv')]);
  must(join(tools, 'venv/bin/pip'), ['install', '--quiet', `supervisor==${supervisorVersion}`]);
}

function must(program, args, options = {}) {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'], ...options });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
