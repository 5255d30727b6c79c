/** A quick answer to "could vLLM be installed here?", for choosing a profile. Changes nothing. */
import { DeployError } from '../core/error.ts';
import { type Param, say } from '../core/message.ts';
import { runProgram } from '../host/exec.ts';
import { readFreeBytes } from '../host/files.ts';
import type { EngineVariant } from '../profile/profile.ts';
import { toInstallEnvironment } from './environment.ts';
import { type FactsContext, observeInstallFacts } from './facts.ts';
import { toNoIndex } from './failure.ts';
import { toTellingLine } from './output.ts';
import { type InstallFacts, type InstallPlan, planInstall } from './plan-install.ts';
import { checkFreeBytes } from './run-command.ts';

/** `unasked`: nothing stands against it, but nothing here could ask the sources. */
export type Installable = { readonly ok: true; readonly unasked?: true } | { readonly ok: false; readonly error: DeployError };

export interface InstallableOptions extends FactsContext {
  readonly readFreeBytes?: typeof readFreeBytes;
}

/** A Python or uv, disk space, and package sources that have this version. At most about 10 s, usually less than one. */
export async function checkInstallable(variant: EngineVariant, version: string, options: InstallableOptions): Promise<Installable> {
  const request = { variant, version };
  try {
    const facts = await observeInstallFacts(request, options);
    const plan = planInstall(request, facts);
    await checkFreeBytes(facts.directory, plan.needBytes, options.readFreeBytes ?? readFreeBytes);
    const problem = await askSources(plan, facts, options);
    if (problem === undefined) return { ok: true, ...(plan.python === undefined ? { unasked: true } : {}) };
    return { ok: false, error: toNoIndex(plan, problem) };
  } catch (error) {
    if (error instanceof DeployError) return { ok: false, error };
    throw error;
  }
}

const askLimitMs = 8000;

/** Undefined when the sources have it, or when nothing here can ask them. */
async function askSources(plan: InstallPlan, facts: InstallFacts, options: FactsContext): Promise<Param | undefined> {
  const env = toInstallEnvironment(options.env);
  const limits = { timeoutMs: askLimitMs, ...(options.signal ? { signal: options.signal } : {}) };
  // Without an interpreter uv would fetch one only to answer this; the installation itself will tell.
  if (plan.python === undefined) return undefined;
  const wanted = `${plan.package}==${plan.engineVersion}`;
  const result = plan.uv
    ? await runProgram(
        plan.uv.program,
        [
          'pip',
          'compile',
          '--quiet',
          '--no-deps',
          '--no-header',
          '--python',
          plan.python.program,
          '--only-binary',
          plan.package,
          ...facts.sources.uv.args,
          '-',
        ],
        { ...limits, env: { ...env, ...facts.sources.uv.env, UV_HTTP_RETRIES: '2', UV_HTTP_CONNECT_TIMEOUT: '3' }, input: `${wanted}\n` },
      )
    : await runProgram(plan.python.program, ['-c', pipScript, 'index', 'versions', plan.package, '--retries', '1', '--timeout', '3'], {
        ...limits,
        env: { ...env, ...facts.sources.pip.env },
      });
  if (result.problem === 'ETIMEDOUT') return say('engine.no-answer-within', { seconds: askLimitMs / 1000 });
  if (result.code !== 0) return toTellingLine(`${result.stdout}\n${result.stderr}`);
  const versions = /^Available versions: (.*)$/m.exec(result.stdout)?.[1]?.split(', ');
  return plan.uv || versions === undefined || versions.includes(plan.engineVersion) ? undefined : say('engine.no-such', { wanted });
}

/**
 * pip of this Python, or the copy that `ensurepip` carries for new environments (Debian keeps those wheels apart).
 * Silent success where there is neither: then only the installation can tell.
 */
const pipScript = `
import glob, os, runpy, sys
try:
    import pip
except ImportError:
    import ensurepip
    places = [os.path.join(os.path.dirname(ensurepip.__file__), "_bundled"), "/usr/share/python-wheels"]
    wheels = [w for p in places for w in glob.glob(os.path.join(p, "pip-*.whl"))]
    if not wheels:
        sys.exit(0)
    sys.path.insert(0, wheels[0])
sys.argv[0] = "pip"
runpy.run_module("pip", run_name="__main__")
`;
