/** A command line, or a script around one, → what it launches. */
import { say } from '../../core/message.ts';
import { toContainerLaunch } from './container.ts';
import { isDocker, parseDockerRun } from './docker.ts';
import { find, type Launch, type Notes, toNothing, type Word } from './launch.ts';
import { findLaunches, toServeLaunch } from './serve.ts';
import type { ShellCommand } from './shell.ts';

/** Undefined when it launches nothing; the finding says so. Of several the first is read, and the others refused. */
export function toLineLaunch(commands: readonly ShellCommand[], notes: Notes): Launch | undefined {
  const { launches, env, given } = findLaunches(commands, toAnyLaunch, notes);
  const [launch, second] = launches;
  if (launch === undefined) {
    if (notes.findings.every(({ severity }) => severity !== 'error')) find(notes, undefined, toNothing(say('import.no-engine')));
    return undefined;
  }
  if (second !== undefined) {
    const message = say('import.several-lines', { count: launches.length });
    find(notes, second.args[0], { code: 'profile/import-several', severity: 'error', message });
  }
  return { ...launch, env: [...env, ...launch.env], given: [...given, ...launch.given] };
}

function toAnyLaunch(words: readonly Word[], notes: Notes): Launch | undefined {
  if (!isDocker(words)) return toServeLaunch(words, notes);
  const container = parseDockerRun(words, notes);
  return container && toContainerLaunch(container, notes, 'docker');
}
