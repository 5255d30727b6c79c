import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { addExamples } from './examples.ts';
import type { Run, Session } from './session.ts';

interface Options {
  readonly engineVersion?: string;
  readonly file?: string;
}

export function addSchema(command: Command, run: Run): void {
  command
    .description(toText(say('commands.profiles.schema')))
    .option('--engine-version <version>', toText(say('commands.profiles.schema.version')))
    .option('--file <path>', toText(say('commands.profiles.schema.file')))
    .action((options: Options) => run((session) => schema(options, session)));
  addExamples(command, ['profiles schema --file profiles/profile.schema.json', 'profiles schema --engine-version 0.33.0']);
}

async function schema({ engineVersion, file }: Options, session: Session): Promise<undefined> {
  const { readProfileSchema, renderSchema, writeProfileSchema } = await import('../operate/profiles-schema.ts');
  const made = await readProfileSchema(engineVersion, session.context);
  if (file === undefined) {
    session.answer(made, () => renderSchema(made.schema));
    return;
  }
  const { schema: _, ...document } = made;
  const path = await writeProfileSchema(made, file, session.context);
  const params = { version: made.engineVersion, path };
  session.answer({ ...document, file: path }, () => `${toText(say('profiles.schema.written', params))}\n`);
}
