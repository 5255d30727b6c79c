/**
 * The command line. All verbs are known here by name and summary, so that help is quick; the file of a verb is
 * loaded when the verb is used.
 */
import { Command, CommanderError } from 'commander';
import { type Message, say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { addExamples } from './examples.ts';
import { readGlobals } from './globals.ts';
import type { Host } from './host.ts';
import { outputOption } from './options.ts';
import type { Run } from './session.ts';
import { toUsageError } from './usage.ts';
import { version } from './version.ts';

interface Verb {
  readonly name: string;
  readonly alias?: string;
  readonly summary: Message;
  readonly hidden?: true;
  readonly load: () => Promise<{ configure(command: Command, run: Run): void }>;
}

/** Runs one command line to its exit status; everything that goes wrong is shown here. */
export async function runCommandLine(argv: readonly string[], host: Host): Promise<number> {
  let status = 0;
  const run: Run = async (work, options) => {
    const { runSession } = await import('./session.ts');
    status = await runSession(host, { globals: readGlobals(argv), work, ...options });
  };
  const program = createProgram(argv, host, run);
  try {
    await program.parseAsync(argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return 0;
    return reportStray(error, argv, host);
  }
}

/** Shows an error that no session has shown: a mistake in the command line. */
async function reportStray(error: unknown, argv: readonly string[], host: Host): Promise<number> {
  const { reportError } = await import('./session.ts');
  return reportError(error, host, readGlobals(argv));
}

const verbs: readonly Verb[] = [
  { name: 'up', summary: say('commands.up'), load: () => import('./up.ts') },
  { name: 'down', summary: say('commands.down'), load: () => import('./down.ts') },
  { name: 'restart', summary: say('commands.restart'), load: () => import('./restart.ts') },
  { name: 'status', alias: 'ps', summary: say('commands.status'), load: () => import('./status.ts') },
  { name: 'ask', summary: say('commands.ask'), load: () => import('./ask.ts') },
  { name: 'logs', summary: say('commands.logs'), load: () => import('./logs.ts') },
  { name: 'events', summary: say('commands.events'), load: () => import('./events.ts') },
  { name: 'plan', summary: say('commands.plan'), load: () => import('./plan.ts') },
  { name: 'render', summary: say('commands.render'), load: () => import('./render.ts') },
  { name: 'doctor', summary: say('commands.doctor'), load: () => import('./doctor.ts') },
  { name: 'profiles', summary: say('commands.profiles'), load: () => import('./profiles.ts') },
  { name: 'engine', summary: say('commands.engine'), load: () => import('./engine.ts') },
  { name: 'explain', summary: say('commands.explain'), load: () => import('./explain.ts') },
  { name: 'forget', summary: say('commands.forget'), load: () => import('./forget.ts') },
  { name: 'install', summary: say('commands.install'), load: () => import('./install.ts') },
  { name: 'uninstall', summary: say('commands.uninstall'), load: () => import('./uninstall.ts') },
  { name: 'supervise', summary: say('commands.supervise'), hidden: true, load: () => import('./supervise.ts') },
];

function createProgram(argv: readonly string[], host: Host, run: Run): Command {
  const program = new Command('qwen-deploy')
    .description(toText(say('commands.about')))
    .version(version, '-V, --version', toText(say('commands.option.version')))
    .addOption(outputOption())
    .option('--lang <language>', toText(say('commands.option.lang')))
    .option('--debug', toText(say('commands.option.debug')))
    .helpOption('-h, --help', toText(say('commands.option.help')))
    .helpCommand(false)
    .showSuggestionAfterError(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void host.stdout.write(text),
      // Help without a verb comes this way; errors are ours to show.
      writeErr: (text) => void host.stdout.write(text),
      outputError: () => undefined,
      getOutHelpWidth: () => host.stdout.columns ?? 100,
      getErrHelpWidth: () => host.stdout.columns ?? 100,
    });
  program.exitOverride((error) => endParsing(error, program));
  addExamples(program, ['up --profile tiny', 'ask "Hello"', 'status --watch', 'down']);
  // The others are of no use to a line that begins with one of them.
  const [first] = verbs.filter(({ name, alias }) => argv[0] === name || (alias !== undefined && argv[0] === alias));
  for (const verb of first ? [first] : verbs) addVerb(program, verb);
  program.hook('preSubcommand', async (_, command) => {
    const verb = verbs.find(({ name }) => name === command.name());
    const loaded = await verb?.load();
    loaded?.configure(command.helpCommand(false), run);
    for (const part of command.commands) part.exitOverride((error) => endParsing(error, part));
  });
  return program;
}

function addVerb(program: Command, verb: Verb): void {
  const command = program.command(verb.name, { hidden: verb.hidden ?? false });
  command.description(toText(verb.summary)).exitOverride((error) => endParsing(error, command));
  if (verb.alias) command.alias(verb.alias);
}

/** Help and version end the parsing too; only mistakes become errors of ours. */
function endParsing(error: CommanderError, command: Command): never {
  if (error.exitCode === 0 || error.code === 'commander.help') throw error;
  throw toUsageError(error, command);
}
