/** Mistakes in the command line in our own words, with the nearest thing that exists. */
import type { Command, CommanderError } from 'commander';
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { toNearest } from '../core/nearest.ts';
import { toText } from '../text/render.ts';

export function toUsageError(error: CommanderError, command: Command): DeployError {
  const problem = toText(toProblem(error, command));
  const path = toCommandPath(command);
  return path === '' ? DeployError.of('usage/bad-line', { problem }) : DeployError.of('usage/invalid', { problem, command: path });
}

/** `engine install`; empty for the program itself. */
export function toCommandPath(command: Command): string {
  if (command.parent === null) return '';
  return `${toCommandPath(command.parent)} ${command.name()}`.trim();
}

/** ` Did you mean A or B?`, or nothing. */
export function toNearestText(word: string, known: readonly string[]): string {
  const [first, second] = toNearest(word, known);
  if (first === undefined) return '';
  return toText(say('commands.did-you-mean', { words: second === undefined ? first : toText(say('commands.or', { first, second })) }));
}

/** Commander names the culprit in single quotes. */
function toProblem(error: CommanderError, command: Command): Message {
  const word = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  switch (error.code) {
    case 'commander.unknownCommand':
      return say('commands.unknown-command', { word, nearest: toNearestText(word, toNames(command)) });
    case 'commander.unknownOption': {
      const option = word.replace(/=.*$/s, '');
      return say('commands.unknown-option', { option, nearest: toNearestText(option, toFlags(command)) });
    }
    case 'commander.missingArgument':
      return say('commands.missing-argument', { argument: word });
    case 'commander.optionMissingArgument':
      return say('commands.missing-value', { option: word });
    case 'commander.excessArguments':
      return say('commands.too-many', { words: command.args.slice(command.registeredArguments.length).join(' ') });
    default:
      return say('commands.unclear', { problem: error.message });
  }
}

function toNames(command: Command): readonly string[] {
  const shown = command.createHelp().visibleCommands(command);
  return shown.flatMap((part) => [part.name(), ...part.aliases()]);
}

function toFlags(command: Command): readonly string[] {
  const own = command.options.map(({ long }) => long).filter((long) => typeof long === 'string');
  return [...own, ...(command.parent ? toFlags(command.parent) : ['--help'])];
}
