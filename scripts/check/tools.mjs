// Checks that other programs do; their findings are cut down to places.
import { execFile } from 'node:child_process';
import { join } from 'node:path';

const shownAtMost = 60;

export async function checkTypes(root) {
  const { failed, output } = await runTool(root, 'tsc', ['--noEmit', '--pretty', 'false', '-p', '.']);
  if (!failed) return [];
  return toProblems(output, (line) => line.replace(/^(\S+?)\((\d+),\d+\): error /, '$1:$2 '));
}

export async function checkStyle(root) {
  const { failed, output } = await runTool(root, 'biome', ['check', '.', '--reporter=github', '--max-diagnostics=200', '--colors=off']);
  if (!failed) return [];
  return toProblems(output.replaceAll(root.endsWith('/') ? root : `${root}/`, ''), toStylePlace);
}

/** `::error title=RULE,file=F,line=N,…::MESSAGE` → `F:N RULE: MESSAGE`. */
function toStylePlace(line) {
  const found = /^::(\w+) title=([^,]*),file=([^,]*),line=(\d+)[^:]*::(.*)$/.exec(line);
  if (!found) return line;
  const [, severity, rule, file, at, message] = found;
  return severity === 'error' ? `${file}:${at} ${rule}: ${message}` : '';
}

export async function checkDeadCode(root) {
  const { failed, output } = await runTool(root, 'knip', ['--no-progress', '--reporter', 'json']);
  if (!failed) return [];
  const report = output.split('\n').find((line) => line.startsWith('{'));
  return report === undefined ? toProblems(output, (line) => line) : JSON.parse(report).issues.flatMap(toDeadPlaces);
}

/** One file's findings by kind: lists of `{name, line}`; a wholly unused file is listed under its own name. */
function toDeadPlaces({ file, ...kinds }) {
  return Object.entries(kinds).flatMap(([kind, found]) =>
    (Array.isArray(found) ? found.flat() : []).map(({ name, line }) => `${file}:${line ?? 1} ${kind}: ${name}`),
  );
}

/** Resolves whatever the exit status; a tool that is not there is the reader's first problem. */
export function runTool(root, name, args) {
  const program = join(root, 'node_modules', '.bin', name);
  return new Promise((resolve) => {
    execFile(program, args, { cwd: root, maxBuffer: 64 * 2 ** 20, env: { ...process.env, NO_COLOR: '1' } }, (error, stdout, stderr) => {
      resolve({
        failed: error !== null,
        output: `${stdout}\n${error === null ? '' : `${stderr}\n${stdout || stderr ? '' : error.message}`}`,
      });
    });
  });
}

function toProblems(output, toPlace) {
  const lines = output
    .split('\n')
    .map((line) => toPlace(line.trimEnd()))
    .filter((line) => line.trim() !== '' && !/^npm (?:warn|notice)/.test(line));
  const rest = lines.length - shownAtMost;
  return rest > 0 ? [...lines.slice(0, shownAtMost), `… and ${rest} more lines`] : lines;
}
