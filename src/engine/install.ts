/**
 * Carries out an installation plan in its directory: tools, environment, packages, bytecode, proof. It always begins
 * with an empty environment (a half-written one cannot be told from a whole one); what makes a second attempt quick
 * is the installer's own cache of downloads. The caller holds the lock and writes the marker.
 */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError } from '../core/error.ts';
import { type Param, say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import { runProgram } from '../host/exec.ts';
import { writeFileAtomic } from '../host/files.ts';
import { findSitePackages, readMetadata, readPackageVersion, writeVllmRecord } from './dist-info.ts';
import { type FailedEnd, type StepId, toInstallError } from './failure.ts';
import { createDownloadReporter } from './install-progress.ts';
import type { EngineMarker } from './installed.ts';
import {
  type Command,
  type DependencyChoice,
  type InstallFacts,
  type InstallPlan,
  type InstallRequest,
  planInstall,
  toPaths,
} from './plan-install.ts';
import { parseRequirements, toPlainTorch } from './requirements.ts';
import { type CommandOptions, checkFreeBytes, type InstallContext, runCommand } from './run-command.ts';
import type { SourceOptions } from './sources.ts';
import { parseVerified, toMismatch, verifyLimitMs } from './verify.ts';
import { toPublicVersion } from './version.ts';

/** `context.env` is cleaned (environment.ts) and without package sources: those come from the facts. */
export async function install(request: InstallRequest, facts: InstallFacts, context: InstallContext): Promise<EngineMarker> {
  const planned = planInstall(request, facts);
  const directory = facts.directory;
  await checkFreeBytes(directory, planned.needBytes, context.readFreeBytes);
  const paths = toPaths(directory);
  for (const leftover of [paths.venv, paths.tools]) await rm(leftover, { recursive: true, force: true });
  sayPython(planned, context);
  const forPip = withSources(context, facts.sources.pip);
  const plan = await fetchTools(planned, forPip, () => planInstall(request, facts, 'pip'));
  const work: Work = { plan, context: plan.installer === 'pip' ? forPip : withSources(context, facts.sources.uv) };
  await doStep('engine.python', plan.environment, work);
  const torch = await installPackages(work);
  const bytecode = await compileBytecode(work);
  const verified = await verify(work);
  await rm(paths.tools, { recursive: true, force: true });
  const sizeBytes = await readSize(directory);
  const { variant, engineVersion: version } = plan;
  const text = say('engine.verified', { version, torch: verified.torch, python: verified.python, size: toSizeText(sizeBytes) });
  context.emit({ type: 'step-done', step: 'engine.verify', text });
  return {
    variant,
    version,
    torch: verified.torch || torch,
    pythonVersion: verified.python,
    installedAt: new Date().toISOString(),
    sizeBytes,
    bytecode,
  };
}

function withSources(context: InstallContext, { env }: SourceOptions): InstallContext {
  return { ...context, env: { ...context.env, ...env } };
}

interface Work {
  readonly plan: InstallPlan;
  readonly context: InstallContext;
}

function sayPython(plan: InstallPlan, { emit }: InstallContext): void {
  const { program, version = '' } = plan.python ?? {};
  emit({ type: 'step-started', step: 'engine.python', text: say('engine.python-looking') });
  const text = program === undefined ? say('engine.python-of-uv') : say('engine.python-found', { version, program });
  emit({ type: program === undefined ? 'step-progress' : 'step-done', step: 'engine.python', text });
}

/** Without a uv on PATH one is fetched for this engine; where the sources have none, the plan for pip is returned. */
async function fetchTools(plan: InstallPlan, context: InstallContext, planForPip: () => InstallPlan): Promise<InstallPlan> {
  const step = 'engine.tools';
  const { emit } = context;
  if (plan.uv) {
    emit({ type: 'step-done', step, text: say('engine.tools-found', { version: plan.uv.version, program: plan.uv.program }) });
    return plan;
  }
  emit({ type: 'step-started', step, text: say('engine.tools-fetching') });
  for (const [at, command] of plan.tools.entries()) {
    const end = await runCommand(command, context, { cwd: plan.directory });
    if (end.ok) continue;
    const isEnvironment = at === 0 && plan.tools.length > 1;
    if (isEnvironment && end.kind === 'other')
      return fail(step, DeployError.of('engine/no-venv', { python: command.argv[0] ?? '', problem: end.line }), context, end.line);
    if (isEnvironment || end.kind === 'network' || end.kind === 'interrupted' || end.kind === 'disk')
      return failStep(step, end, { plan, context });
    emit({ type: 'step-done', step, text: say('engine.tools-pip', { problem: end.line }) });
    return planForPip();
  }
  emit({ type: 'step-done', step, text: say('engine.tools-fetched') });
  return plan;
}

/** Returns the version of torch. */
async function installPackages(work: Work): Promise<string> {
  const { plan, context } = work;
  const step = 'engine.packages';
  const names = { package: plan.package, version: plan.engineVersion };
  context.emit({ type: 'step-started', step, text: say('engine.packages-installing', names) });
  const onLine = createDownloadReporter(context.emit, { step, totalIsKnown: plan.installer !== 'pip' });
  await doStep(step, plan.packages, work, { onLine });
  const sitePackages = await findSitePackages(toPaths(plan.directory).venv);
  if (sitePackages === undefined) return failStep(step, { ok: false, kind: 'other', line: `${plan.directory}: site-packages` }, work);
  if (plan.variant === 'cpu') {
    await installDependencies(work, { sitePackages, onLine });
    await writeVllmRecord(sitePackages, plan.engineVersion);
  }
  const torch = (await readPackageVersion(sitePackages, 'torch')) ?? '';
  context.emit({ type: 'step-done', step, text: say('engine.packages-done', { ...names, torch }) });
  return torch;
}

interface Places {
  readonly sitePackages: string;
  readonly onLine: (line: string) => void;
}

/** The first choice that can be had; only "cannot be had" leads to the next one. */
async function installDependencies(work: Work, { sitePackages, onLine }: Places): Promise<void> {
  const { plan } = work;
  const requirements = parseRequirements((await readMetadata(sitePackages, plan.package)) ?? '');
  const paths = toPaths(plan.directory);
  await writeFileAtomic(paths.requirements, requirements.lines.map((line) => `${line}\n`).join(''));
  await writeFileAtomic(
    paths.plainRequirements,
    toPlainTorch(requirements)
      .map((line) => `${line}\n`)
      .join(''),
  );
  const choices = requirements.hasLocalTorch ? plan.dependencies : plan.dependencies.slice(0, 1);
  const pinned = requirements.torch ?? '';
  let last: FailedEnd | undefined;
  for (const choice of choices) {
    await announce(choice, pinned, work);
    const end = await tryChoice(choice, work, onLine);
    if (end.ok) return;
    const goesOn = end.kind === 'missing' || (end.kind === 'network' && choice.source === 'torch-index');
    if (!goesOn) return failStep('engine.packages', end, work);
    last = end;
  }
  if (last) return failStep('engine.packages', last, work);
}

async function announce(choice: DependencyChoice, pinned: string, { plan, context }: Work): Promise<void> {
  const plain = toPublicVersion(pinned);
  const source = {
    configured: say('engine.trying-configured'),
    'torch-index': say('engine.trying-torch-index', { torch: pinned }),
    'plain-torch': say('engine.trying-plain-torch', { torch: plain }),
  }[choice.source];
  context.emit({ type: 'step-progress', step: 'engine.packages', text: source });
  if (choice.source !== 'plain-torch') return;
  await checkFreeBytes(plan.directory, choice.needBytes, context.readFreeBytes);
  context.emit({ type: 'said', level: 'warning', text: say('engine.torch-large', { pinned, plain, large: '5.8 GB', small: '1.5 GB' }) });
}

const probeLimitMs = 60_000;

async function tryChoice(choice: DependencyChoice, { plan, context }: Work, onLine: (line: string) => void) {
  if (choice.probe) {
    const end = await runCommand(choice.probe, context, { cwd: plan.directory, timeoutMs: probeLimitMs });
    if (!end.ok) return { ...end, kind: end.kind === 'other' ? 'missing' : end.kind } satisfies FailedEnd;
  }
  return runCommand(choice.command, context, { cwd: plan.directory, onLine });
}

/** Slower starts are no reason to throw an engine away: a failure here is said, and no more. */
async function compileBytecode({ plan, context }: Work): Promise<boolean> {
  const step = 'engine.bytecode';
  context.emit({ type: 'step-started', step, text: say('engine.bytecode-compiling') });
  const end = await runCommand(plan.bytecode, context, { cwd: plan.directory });
  if (!end.ok && (end.kind === 'interrupted' || end.kind === 'disk')) return failStep(step, end, { plan, context });
  // compileall also fails for single files that are no Python (templates), so its result is looked at instead.
  const compiled = await hasBytecode(plan);
  const text = compiled ? say('engine.bytecode-done') : say('engine.bytecode-missing', { problem: end.ok ? '' : end.line });
  context.emit({ type: 'step-done', step, text });
  return compiled;
}

async function hasBytecode(plan: InstallPlan): Promise<boolean> {
  const sitePackages = await findSitePackages(toPaths(plan.directory).venv);
  if (sitePackages === undefined) return false;
  return stat(join(sitePackages, 'vllm', '__pycache__')).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
}

async function verify(work: Work) {
  const { plan, context } = work;
  const step = 'engine.verify';
  context.emit({ type: 'step-started', step, text: say('engine.verifying') });
  const end = await runCommand(plan.verify, context, { cwd: plan.directory, timeoutMs: verifyLimitMs });
  if (!end.ok) return failStep(step, end, work);
  const found = parseVerified(end.stdout);
  const wrong = found === undefined ? say('engine.no-answer') : toMismatch(found, { variant: plan.variant, version: plan.engineVersion });
  if (found === undefined || wrong !== undefined)
    return failStep(step, { ok: false, kind: 'other', line: wrong ?? say('engine.no-answer') }, work);
  return found;
}

async function doStep(step: StepId, command: Command, work: Work, options: CommandOptions = {}): Promise<void> {
  const end = await runCommand(command, work.context, { cwd: work.plan.directory, ...options });
  if (!end.ok) return failStep(step, end, work);
}

async function failStep(step: StepId, end: FailedEnd, work: Work): Promise<never> {
  const problem = end.kind === 'interrupted' ? say('engine.interrupted') : end.line;
  return fail(step, await toInstallError(step, end, work), work.context, problem);
}

function fail(step: StepId, error: DeployError, { emit }: InstallContext, problem: Param): never {
  emit({ type: 'step-failed', step, text: say('engine.step-failed', { problem }) });
  throw error;
}

/** By `du`, which counts shared files once; 0 when it cannot tell. */
async function readSize(directory: string): Promise<number> {
  const result = await runProgram('du', ['-sk', join(directory, 'venv')], { timeoutMs: 60_000 });
  return Number(/^\d+/.exec(result.stdout)?.[0] ?? 0) * 1024;
}
