/** Options that several commands share, in one spelling, and the reading of their values. */
import { type Command, Option } from 'commander';
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { parseDurationMs } from '../core/units.ts';
import type { BackendName } from '../profile/profile.ts';
import { toText } from '../text/render.ts';
import { outputModes } from '../views/choose.ts';
import { toCommandPath, toNearestText } from './usage.ts';

const backends: readonly BackendName[] = ['process', 'simulator', 'docker'];

export interface ProfileOptions {
  readonly profile?: string;
  readonly set?: readonly string[];
  readonly backend?: BackendName;
  readonly engineVersion?: string;
}

export function addProfileOptions(command: Command): Command {
  const choose = toChoice(command, '--backend', backends);
  return addProfileChoice(command, [new Option('--backend <backend>', toText(say('commands.option.backend'))).argParser(choose)]);
}

/** For what runs in one place anyway. */
export function addProfileChoice(command: Command, more: readonly Option[] = []): Command {
  command.option('-p, --profile <profile>', toText(say('commands.option.profile'))).addOption(setOption());
  for (const option of more) command.addOption(option);
  return command.option('--engine-version <version>', toText(say('commands.option.engine-version')));
}

/** What `up` and `plan` ask the use case for; `auto` when no profile is named. */
export function toProfileRequest({ profile, set, backend, engineVersion }: ProfileOptions) {
  return {
    profile: profile ?? 'auto',
    sets: set ?? [],
    ...(backend === undefined ? {} : { backend }),
    ...(engineVersion === undefined ? {} : { engineVersion }),
  };
}

export function setOption(): Option {
  const collect = (value: string, before: readonly string[] | undefined) => {
    // Said before anything is looked at; the value is not repeated, it may be a secret.
    if (!/^[^=]+=/.test(value)) throw DeployError.of('usage/bad-set', { text: value.startsWith('=') ? '=…' : value });
    return [...(before ?? []), value];
  };
  return new Option('--set <key.path=value>', toText(say('commands.option.set'))).argParser(collect);
}

export function outputOption(): Option {
  return new Option('-o, --output <form>', toText(say('commands.option.output'))).argParser((value) =>
    chooseOne(value, outputModes, { option: '--output', command: '' }),
  );
}

/** `30s`, `5m`; a plain number is seconds. */
export function durationOption(command: Command, flags: string, text: string): Option {
  const option = new Option(flags, text);
  return option.argParser((value) => {
    const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : parseDurationMs(value);
    if (ms !== undefined) return ms;
    throw refuse(toText(say('commands.bad-duration', { option: option.long ?? flags, value })), toCommandPath(command));
  });
}

export function countOption(command: Command, flags: string, text: string): Option {
  const option = new Option(flags, text);
  return option.argParser((value) => {
    if (/^[1-9]\d*$/.test(value)) return Number(value);
    throw refuse(toText(say('commands.bad-count', { option: option.long ?? flags, value })), toCommandPath(command));
  });
}

export function toChoice<T extends string>(command: Command, option: string, choices: readonly T[]): (value: string) => T {
  return (value) => chooseOne(value, choices, { option, command: toCommandPath(command) });
}

function chooseOne<T extends string>(value: string, choices: readonly T[], where: { option: string; command: string }): T {
  const chosen = choices.find((choice) => choice === value);
  if (chosen !== undefined) return chosen;
  const params = { option: where.option, value, choices: choices.join(', '), nearest: toNearestText(value, choices) };
  throw refuse(toText(say('commands.bad-choice', params)), where.command);
}

/** A usage mistake with the hint to the right help. */
export function refuse(problem: string, command: string): DeployError {
  return command === '' ? DeployError.of('usage/bad-line', { problem }) : DeployError.of('usage/invalid', { problem, command });
}
