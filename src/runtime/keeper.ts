/**
 * The keeper: a small shell that starts the engine, waits for it and writes down how it ended. It is the leader of
 * the launch's session and lives as long as the engine, so the exit status is known even when the supervisor was
 * not there (killed, upgraded) to see it.
 *
 * Races and traps thought about:
 * - The inner shell writes its own pid and then becomes the engine by exec: the number on disk *is* the engine's.
 * - The engine runs in the foreground: a shell's background jobs would start with SIGINT ignored.
 * - HUP is ignored, and stays so in the engine: a closing terminal must not end either of them.
 * - TERM and INT are caught by an empty handler: the keeper outlives a signal to the whole session and still
 *   records the exit; a caught signal is back to its default in the engine (an ignored one would not be).
 * - The keeper's own stdout and stderr are not the log, so "who holds the log" finds only the engine's processes.
 *   In parentheses, because dash would redirect itself while it waits for a plain command.
 * - It starts nobody to write the exit down: it becomes `mv` itself, because a child would be one more process of a
 *   launch that was just seen to have none. When it ended is the file's own time.
 * - A status of 129 to 192 means a signal by the shell's convention; above that it is a code (Python's `exit(-1)` is 255).
 * - Control groups are joined by the keeper, so that whatever it starts is in them from its first instruction; the
 *   number of open files is set in the parentheses alone. More than the hard limit allows becomes as many as it allows.
 * - No core files: one of an engine is as large as its memory, and holds prompts and keys.
 * - If the keeper is killed, no exit file appears: the exit is then noticed through /proc, its status unknown.
 */
import { toExit } from './exit-status.ts';
import type { Exit } from './runtime.ts';

export const keeperScript = `
trap '' HUP
trap : TERM INT
exit_file=$1 start_file=$2 groups=$3 files=$4 mask=$5
shift 5
exec 3>&1 4>&2 >/dev/null 2>&1
IFS='
'
for group in $groups; do echo $$ >"$group"; done
unset IFS
ulimit -c 0 2>/dev/null
([ -z "$files" ] || ulimit -n "$files" 2>/dev/null || ulimit -n "$(ulimit -Hn)"
exec sh -c 'echo $$ >"$0.new" && mv "$0.new" "$0" && { [ -z "$1" ] || umask "$1"; shift; exec "$@"; }' "$start_file" "$mask" "$@") >&3 2>&4 3>&- 4>&-
status=$?
printf '{"status":%d}\\n' "$status" >"$exit_file.new"
exec mv "$exit_file.new" "$exit_file"
`;

/** The exit file's content → exit; undefined when it is not one (cut, or not written). */
export function parseExitFile(text: string): Pick<Exit, 'code' | 'signal'> | undefined {
  const match = /"status":(\d+)/.exec(text);
  if (match?.[1] === undefined) return undefined;
  return toExit(Number(match[1]));
}
