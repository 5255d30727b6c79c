/** Which error stands for a command of an installation that failed. */
import { DeployError } from '../core/error.ts';
import { type Param, say } from '../core/message.ts';
import { type InstallPlan, toTriedText } from './plan-install.ts';
import { type CommandEnd, type InstallContext, toDiskFull } from './run-command.ts';

export type StepId = 'engine.python' | 'engine.tools' | 'engine.packages' | 'engine.bytecode' | 'engine.verify';

export type FailedEnd = Omit<Extract<CommandEnd, { readonly ok: false }>, 'line'> & { readonly line: Param };

export async function toInstallError(
  step: StepId,
  end: FailedEnd,
  { plan, context }: { readonly plan: InstallPlan; readonly context: InstallContext },
): Promise<DeployError> {
  const { variant, engineVersion: version, directory } = plan;
  if (end.kind === 'interrupted') return DeployError.of('engine/install-interrupted', { variant, version });
  if (end.kind === 'disk') return toDiskFull(directory, { needBytes: plan.needBytes, haveBytes: await context.readFreeBytes(directory) });
  if (step === 'engine.python' && plan.python === undefined) {
    return DeployError.of('engine/no-python', { tried: say('engine.uv-said', { pythons: toTriedText(plan.pythons), said: end.line }) });
  }
  if (step !== 'engine.verify' && (end.kind === 'network' || end.kind === 'missing')) return toNoIndex(plan, end.line);
  return DeployError.of('engine/install-failed', {
    variant,
    version,
    step: step.slice('engine.'.length),
    problem: end.line,
    log: context.log.path,
  });
}

export function toNoIndex(plan: Pick<InstallPlan, 'variant' | 'engineVersion' | 'package' | 'sources'>, problem: Param): DeployError {
  const { variant, engineVersion: version } = plan;
  const extra = variant === 'cpu' ? ' --extra-index-url https://download.pytorch.org/whl/cpu' : '';
  return DeployError.of('engine/no-index', {
    variant,
    version,
    problem,
    tried: plan.sources.join(', '),
    download: `${plan.package}==${version}${extra}`,
  });
}
