/** The text of a systemd unit. Whatever comes from outside goes through `toUnitWord` or `toUnitPath`. */
import { DeployError } from '../core/error.ts';

export interface UnitParts {
  readonly name: string;
  /** Directory of the deployment. */
  readonly directory: string;
  /** The program, an absolute path, and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  /** File with the variables that are secrets; read if it is there. */
  readonly environmentFile?: string;
}

/** Fills the skeleton in. Throws `unit/unwritable` for a value that no unit can hold. */
export function renderUnit(skeleton: string, parts: UnitParts): string {
  const variables = Object.entries(parts.environment).map(([name, value]) => `Environment=${toUnitWord(`${name}=${value}`)}`);
  // One that is missing is no reason not to start: whoever needs the secret says so, by name.
  const file = parts.environmentFile === undefined ? [] : [`EnvironmentFile=-${toUnitPath(parts.environmentFile)}`];
  const values: Readonly<Record<string, string>> = {
    name: parts.name,
    directory: toUnitPath(parts.directory),
    command: parts.command.map(toUnitWord).join(' '),
    environment: [...variables, ...file].join('\n'),
  };
  return skeleton.replace(/\{\{(\w+)\}\}/g, (_, key: string) => values[key] ?? '').replace(/\n{3,}/g, '\n\n');
}

/**
 * One word of ExecStart= or Environment=: in double quotes, with `%` (specifiers), `\` and `"` escaped. `$` stays: it
 * means nothing in Environment=, and the `:` in front of the command switches it off there.
 */
export function toUnitWord(value: string): string {
  refuseNul(value);
  const escaped = value.replace(/[\\"%\n\r\t]/g, (character) => escapes[character] ?? character);
  return `"${escaped}"`;
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '%': '%%', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A path that is the whole value of a setting: no quotes and no escapes there, only specifiers. */
export function toUnitPath(path: string): string {
  // A backslash at the end would draw the next line into this one, and space at either end is cut off.
  if (/\p{Cc}/u.test(path) || /\\$|^\s|\s$/.test(path)) throw DeployError.of('unit/unwritable', { value: JSON.stringify(path) });
  return path.replaceAll('%', '%%');
}

function refuseNul(value: string): void {
  if (value.includes('\0')) throw DeployError.of('unit/unwritable', { value: JSON.stringify(value) });
}

/** What two texts do not have in common, line by line: enough for settings, each of which is a line. */
export function toUnitDifference(before: string, after: string): readonly string[] {
  const toLines = (text: string) => text.split('\n').filter((line) => line.trim() !== '');
  const [old, fresh] = [toLines(before), toLines(after)];
  return [
    ...old.filter((line) => !fresh.includes(line)).map((line) => `- ${line}`),
    ...fresh.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
  ];
}
