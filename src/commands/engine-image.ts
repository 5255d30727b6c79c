import { type Command, Option } from 'commander';
import { say } from '../core/message.ts';
import type { EngineVariant } from '../profile/profile.ts';
import { toText } from '../text/render.ts';
import { renderExportedImage, renderImagePlan, renderInstalledImages } from '../views/images.ts';
import { addExamples } from './examples.ts';
import { refuse, toChoice } from './options.ts';
import type { Run, Session } from './session.ts';

export interface ImageOptions {
  readonly engineVersion?: string;
  readonly variant?: EngineVariant;
  readonly from?: string;
  readonly update?: true;
  readonly dryRun?: true;
}

export const variants: readonly EngineVariant[] = ['cpu', 'gpu'];

export function addExport(command: Command, run: Run): void {
  command
    .description(toText(say('commands.engine.export')))
    .argument('[reference]', toText(say('commands.argument.reference')))
    .option('--engine-version <version>', toText(say('commands.option.engine-version')))
    .addOption(variantOption(command))
    .requiredOption('--out <file>', toText(say('commands.engine.out')))
    .action((reference: string | undefined, options: ImageOptions & { readonly out: string }) =>
      run((session) => exportImage(session, reference, options), { busy: true }),
    );
  addExamples(command, ['engine export --out vllm.tar', 'engine export --engine-version 0.32.0 --variant cpu --out vllm-cpu.tar']);
}

async function exportImage(
  session: Session,
  reference: string | undefined,
  options: ImageOptions & { readonly out: string },
): Promise<undefined> {
  refuseBoth(reference, options.variant, 'engine export');
  const { exportImage: write } = await import('../operate/export-image.ts');
  const exported = await write({ ...toRequest(reference, options), out: options.out }, session.context);
  session.answer(exported, () => renderExportedImage(exported));
}

export async function installImage(session: Session, reference: string | undefined, options: ImageOptions): Promise<undefined> {
  const { from, update, dryRun } = options;
  const operate = await import('../operate/install-image.ts');
  const request = { ...toRequest(reference, options), ...(from === undefined ? {} : { from }), update: update ?? false };
  if (dryRun) {
    const plan = operate.planImageInstall(request, session.context);
    session.answer(plan, () => renderImagePlan(plan));
    return;
  }
  const installed = await operate.installImage(request, session.context);
  session.answer(installed, () => renderInstalledImages(installed));
}

export function variantOption(command: Command): Option {
  return new Option('--variant <variant>', toText(say('commands.engine.image-variant'))).argParser(
    toChoice(command, '--variant', variants),
  );
}

/** What the parser takes and makes no sense together. */
export function checkImageOptions(isImage: boolean, reference: string | undefined, { variant, from, update }: ImageOptions): void {
  const where = 'engine install';
  if (isImage) {
    if (from !== undefined && update) throw refuse(toText(say('commands.engine.conflict')), where);
    return refuseBoth(reference, variant, where);
  }
  if (reference !== undefined) throw refuse(toText(say('commands.engine.image-reference', { reference })), where);
  const given = { '--variant': variant, '--from': from, '--update': update };
  const [option] = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (option !== undefined) throw refuse(toText(say('commands.engine.image-only', { option })), where);
}

function refuseBoth(reference: string | undefined, variant: EngineVariant | undefined, where: string): void {
  if (reference !== undefined && variant !== undefined) throw refuse(toText(say('commands.engine.image-both', { reference })), where);
}

function toRequest(reference: string | undefined, { engineVersion, variant }: ImageOptions) {
  return {
    ...(reference === undefined ? {} : { reference }),
    ...(engineVersion === undefined ? {} : { version: engineVersion }),
    ...(variant === undefined ? {} : { variant }),
  };
}
