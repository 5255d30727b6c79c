import type { Command } from 'commander';
import { say } from '../core/message.ts';
import type { EngineVariant } from '../profile/profile.ts';
import { toText } from '../text/render.ts';
import { renderInstallPlan } from '../views/install-plan.ts';
import { checkImageOptions, type ImageOptions, installImage, variantOption, variants } from './engine-image.ts';
import { addExamples } from './examples.ts';
import { toChoice } from './options.ts';
import type { Run, Session } from './session.ts';

interface Options extends ImageOptions {
  readonly engineVersion?: string;
  readonly dryRun?: true;
}

type Kind = EngineVariant | 'image';

const kinds: readonly Kind[] = [...variants, 'image'];

export function addInstall(command: Command, run: Run): void {
  command
    .description(toText(say('commands.engine.install')))
    .argument('<variant>', toText(say('commands.argument.variant')), toChoice(command, toText(say('commands.variant')), kinds))
    .argument('[reference]', toText(say('commands.argument.reference')))
    .option('--engine-version <version>', toText(say('commands.option.engine-version')))
    .addOption(variantOption(command))
    .option('--from <file>', toText(say('commands.engine.from')))
    .option('--update', toText(say('commands.engine.update')))
    .option('--dry-run', toText(say('commands.engine.dry-run')))
    .action((kind: Kind, reference: string | undefined, options: Options) =>
      run((session) => install(session, { kind, reference, options }), { busy: true }),
    );
  addExamples(command, [
    'engine install cpu',
    'engine install gpu --dry-run',
    'engine install image',
    'engine install image --from vllm.tar',
  ]);
}

interface Asked {
  readonly kind: Kind;
  readonly reference: string | undefined;
  readonly options: Options;
}

async function install(session: Session, { kind, reference, options }: Asked): Promise<undefined> {
  checkImageOptions(kind === 'image', reference, options);
  if (kind === 'image') return installImage(session, reference, options);
  const { engineVersion, dryRun } = options;
  const { installEngine, planEngineInstall } = await import('../operate/engine-install.ts');
  const request = { variant: kind, ...(engineVersion === undefined ? {} : { version: engineVersion }) };
  if (dryRun) {
    const { plan, lines } = await planEngineInstall(request, session.context);
    session.answer(plan, () => renderInstallPlan(plan, lines));
    return;
  }
  const engine = await installEngine(request, session.context);
  const { id, program } = engine;
  session.answer({ kind: 'Engine', version: 1, engine }, () => `${toText(say('views.engine.installed', { id, program }))}\n`);
}
