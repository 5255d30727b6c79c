import type { Command } from 'commander';
import { say } from '../core/message.ts';
import type { EngineVariant } from '../profile/profile.ts';
import { toText } from '../text/render.ts';
import { renderInstallPlan } from '../views/install-plan.ts';
import { addExamples } from './examples.ts';
import { toChoice } from './options.ts';
import type { Run, Session } from './session.ts';

interface Options {
  readonly engineVersion?: string;
  readonly dryRun?: true;
}

const variants: readonly EngineVariant[] = ['cpu', 'gpu'];

export function addInstall(command: Command, run: Run): void {
  command
    .description(toText(say('commands.engine.install')))
    .argument('<variant>', toText(say('commands.argument.variant')), toChoice(command, toText(say('commands.variant')), variants))
    .option('--engine-version <version>', toText(say('commands.option.engine-version')))
    .option('--dry-run', toText(say('commands.engine.dry-run')))
    .action((variant: EngineVariant, options: Options) => run((session) => install(session, variant, options), { busy: true }));
  addExamples(command, ['engine install cpu', 'engine install gpu --dry-run']);
}

async function install(session: Session, variant: EngineVariant, { engineVersion, dryRun }: Options): Promise<undefined> {
  const { installEngine, planEngineInstall } = await import('../operate/engine-install.ts');
  const request = { variant, ...(engineVersion === undefined ? {} : { version: engineVersion }) };
  if (dryRun) {
    const { plan, lines } = await planEngineInstall(request, session.context);
    session.answer(plan, () => renderInstallPlan(plan, lines));
    return;
  }
  const engine = await installEngine(request, session.context);
  const { id, program } = engine;
  session.answer({ kind: 'Engine', version: 1, engine }, () => `${toText(say('views.engine.installed', { id, program }))}\n`);
}
