/** Commands → those among them that start a vLLM, and what the others set for it. */
import { say } from '../../core/message.ts';
import { drop, type Given, type Launch, type Notes, type Variable, type Word } from './launch.ts';
import { parseShell, type ShellCommand } from './shell.ts';
import { toUnwrapped, toVariable } from './unwrap.ts';

/** Recognises a launch by its words, the program first. */
export type FindLaunch = (words: readonly Word[], notes: Notes) => Launch | undefined;

export interface Found {
  readonly launches: readonly Launch[];
  /** Variables and limits that were set before. */
  readonly env: readonly Variable[];
  readonly given: readonly Given[];
}

export function findLaunches(commands: readonly ShellCommand[], toLaunch: FindLaunch, notes: Notes): Found {
  const around: Around = { env: [], given: [] };
  const launches = commands.flatMap((command): readonly Launch[] => {
    const { env, given, words } = toUnwrapped(command, notes);
    if (words.length === 0) {
      around.env.push(...env);
      return [];
    }
    const before = notes.findings.length;
    const launch = toLaunch(words, notes);
    if (launch === undefined) {
      // What it was has been said already.
      if (notes.findings.length === before) takeSetting(words, around, notes);
      return [];
    }
    for (const redirect of command.redirects) drop(notes, redirect, say('import.why.redirect'));
    return [{ ...launch, env: [...env, ...launch.env], given: [...given, ...launch.given] }];
  });
  return { launches, ...around };
}

/** `vllm serve …`, `python -m vllm.entrypoints.openai.api_server …`, or a shell that is given one of them. */
export function toServeLaunch(words: readonly Word[], notes: Notes): Launch | undefined {
  const [program, ...rest] = words;
  const name = program?.text.slice(program.text.lastIndexOf('/') + 1) ?? '';
  if (program !== undefined && name === 'vllm' && rest[0]?.text === 'serve') {
    if (program.text !== name) drop(notes, program.text, say('import.why.program', { path: program.text }));
    return toPlainLaunch('serve', rest.slice(1));
  }
  if (/^python[\d.]*$/.test(name)) return toModuleLaunch(rest);
  if (!/^(ba|z|da)?sh$/.test(name)) return undefined;
  const at = rest.findIndex(({ text }) => /^-[a-z]*c$/.test(text));
  const script = at < 0 ? undefined : rest[at + 1];
  return script && toInnerLaunch(script, notes);
}

/** `bash -c "vllm serve …"`: the words inside have the place of the whole. */
function toInnerLaunch(script: Word, notes: Notes): Launch | undefined {
  const { text: _, open: __, ...place } = script;
  const commands = parseShell(script.text, { notes, placed: false });
  const placed = commands?.map((one) => ({ ...one, words: one.words.map((word) => ({ ...word, ...place })) }));
  if (placed === undefined) return undefined;
  const { launches, env, given } = findLaunches(placed, toServeLaunch, notes);
  const [launch] = launches;
  return launch && { ...launch, env: [...env, ...launch.env], given: [...given, ...launch.given] };
}

function toModuleLaunch(words: readonly Word[]): Launch | undefined {
  const at = words.findIndex(({ text }) => text === '-m');
  const [module, ...rest] = at < 0 ? [] : words.slice(at + 1);
  if (module?.text === 'vllm.entrypoints.openai.api_server') return toPlainLaunch('module', rest);
  const isCli = module?.text === 'vllm.entrypoints.cli.main' || module?.text === 'vllm';
  return isCli && rest[0]?.text === 'serve' ? toPlainLaunch('serve', rest.slice(1)) : undefined;
}

export function toPlainLaunch(form: Launch['form'], args: readonly Word[]): Launch {
  return { kind: 'vllm', form, args, env: [], given: [] };
}

interface Around {
  readonly env: Variable[];
  readonly given: Given[];
}

/** `export`, `ulimit -n`; everything else of a script has nothing to do with serving. */
function takeSetting(words: readonly Word[], around: Around, notes: Notes): void {
  const [program, ...rest] = words;
  const name = program?.text ?? '';
  if (name === 'export') around.env.push(...rest.flatMap((word) => toVariable(word) ?? []));
  if (['export', 'set', 'source', '.'].includes(name)) return;
  const limit = name === 'ulimit' && rest.some(({ text }) => /^-[SH]*n$/.test(text)) ? rest.at(-1) : undefined;
  if (limit && /^\d+$/.test(limit.text)) around.given.push({ path: 'resources.nofile', value: Number(limit.text), word: limit });
  // Only the name: its words may hold anything.
  else drop(notes, rest.length > 0 ? `${name} …` : name, say('import.why.other'));
}
