/** A machine made of a few files and programs: what a test does not name is not there. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { say } from '../../src/core/message.ts';
import type { Check, CheckStatus, DoctorContext, DoctorSubject, Fix, LeftContainer } from '../../src/doctor/check.ts';
import { observePythons } from '../../src/engine/python.ts';
import type { Gpu, GpuObservation } from '../../src/gpu/gpu.ts';
import type { DockerObservation } from '../../src/host/docker/observe.ts';
import { toPlaces } from '../../src/host/environment.ts';
import type { RunResult } from '../../src/host/exec.ts';
import type { Facts } from '../../src/plan/facts.ts';
import { planDeployment } from '../../src/plan/make-plan.ts';
import { planMemoryOf } from '../../src/plan/memory/of-facts.ts';
import type { Memory } from '../../src/plan/plan.ts';
import { toText } from '../../src/text/render.ts';
import { load, machine as planMachine, places as planPlaces } from '../plan/stand-ins.ts';

/**
 * The text of a file; or something else at that place. A directory where a file is expected stands for what cannot be
 * read: a mode would not keep root out.
 */
export type Entry = string | { readonly directory: true; readonly mode?: number } | { readonly link: string } | FileEntry;

interface FileEntry {
  readonly text: string;
  readonly mode?: number;
}

/** What a program answers; it ends with status 0 and says nothing where nothing else is written. */
export type Program = Partial<RunResult>;

export interface MachineParts {
  /** By absolute path: `{'/proc/meminfo': '…'}`. */
  readonly files?: Readonly<Record<string, Entry>>;
  /** By name, or by the whole line (`nvidia-smi -L`), which wins. All others are not installed. */
  readonly programs?: Readonly<Record<string, Program | ((args: readonly string[]) => Program)>>;
  readonly env?: NodeJS.ProcessEnv;
  readonly subject?: DoctorSubject;
  readonly gpus?: GpuObservation | readonly Gpu[];
  readonly gpusFromFile?: boolean;
  readonly docker?: DockerObservation;
  readonly leftContainers?: readonly LeftContainer[];
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
}

export interface StandInMachine extends DoctorContext {
  /** Lines of the programs that were run, in order. */
  readonly calls: string[];
}

/** A machine without GPU, Docker, network and profile, but for the parts; its directory goes when the test ends. */
export function createMachine(parts: MachineParts = {}): StandInMachine {
  const base = mkdtempSync(join(tmpdir(), 'doctor-'));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const root = join(base, 'root');
  const home = join(base, 'home');
  mkdirSync(root);
  mkdirSync(home, { mode: 0o700 });
  for (const [path, entry] of Object.entries(parts.files ?? {})) placeEntry(join(root, path), entry);
  const env = { HOME: home, PATH: '/usr/bin:/bin', QWEN_DEPLOY_HOME: join(home, 'qwen'), ...parts.env };
  const calls: string[] = [];
  const gpus = toObservation(parts.gpus);
  return {
    root,
    env,
    places: toPlaces(env),
    cwd: home,
    signal: parts.signal ?? new AbortController().signal,
    offline: parts.offline ?? true,
    ...(parts.subject ? { subject: parts.subject } : {}),
    gpus: async () => gpus,
    gpusFromFile: parts.gpusFromFile ?? false,
    pythons: () => observePythons(env),
    leftContainers: async () => parts.leftContainers ?? [],
    docker: async () => parts.docker ?? { is: 'absent', socket: '/var/run/docker.sock' },
    run: async (program, args) => {
      calls.push([program, ...args].join(' '));
      return toRunResult(findProgram(parts.programs ?? {}, program, args));
    },
    calls,
  };
}

export interface SubjectParts {
  readonly sets?: readonly string[];
  /** Laid over those of a quiet machine with four CPUs, one L4 and both engines. */
  readonly facts?: Partial<Facts>;
  readonly memory?: Memory;
  readonly asked?: boolean;
  readonly running?: boolean;
}

/** A shipped profile, planned; its findings do not keep it from being a subject. */
export async function createSubject(name: string, parts: SubjectParts = {}): Promise<DoctorSubject> {
  const profile = await load(name, ...(parts.sets ?? []));
  const facts = { ...planMachine, ...parts.facts };
  const { plan } = planDeployment({ profile, name, facts, places: planPlaces, simulatorEntry: '/sim.js' });
  const memory = parts.memory ?? planMemoryOf(profile, facts);
  return {
    profile,
    plan: memory ? { ...plan, memory } : plan,
    facts,
    asked: parts.asked ?? true,
    running: parts.running ?? false,
  };
}

/** A check's answer in words. */
export interface Answer {
  readonly status: CheckStatus;
  readonly message: string;
  readonly hint: string;
  readonly evidence: readonly string[];
  readonly fix: Fix | undefined;
  readonly needed: boolean;
}

/** Runs one check of a list by its id; the words are those that people see. */
export async function runCheck(checks: readonly Check[], id: string, context: DoctorContext): Promise<Answer> {
  const check = checks.find((one) => one.id === id);
  if (!check) throw new Error(`there is no check ${id}`);
  const outcome = await check.run(context);
  return {
    status: outcome.status,
    message: toText(outcome.message),
    hint: outcome.hint ? toText(outcome.hint) : '',
    evidence: outcome.evidence ?? [],
    fix: outcome.fix,
    needed: context.subject !== undefined && check.isNeeded?.(context.subject) === true,
  };
}

function placeEntry(path: string, entry: Entry): void {
  mkdirSync(dirname(path), { recursive: true });
  if (typeof entry === 'string') return writeFileSync(path, entry);
  if ('link' in entry) return symlinkSync(entry.link, path);
  if ('text' in entry) writeFileSync(path, entry.text);
  else mkdirSync(path, { recursive: true });
  if (entry.mode !== undefined) chmodSync(path, entry.mode);
}

function toObservation(gpus: GpuObservation | readonly Gpu[] | undefined): GpuObservation {
  if (gpus === undefined) return { is: 'absent', evidence: say('gpu.no-smi') };
  return 'is' in gpus ? gpus : { is: 'present', gpus };
}

function findProgram(programs: NonNullable<MachineParts['programs']>, name: string, args: readonly string[]): Program {
  const found = programs[[name, ...args].join(' ')] ?? programs[name] ?? { code: undefined, problem: 'ENOENT' };
  return typeof found === 'function' ? found(args) : found;
}

function toRunResult(program: Program): RunResult {
  return { code: 0, signal: undefined, stdout: '', stderr: '', problem: undefined, ...program };
}
