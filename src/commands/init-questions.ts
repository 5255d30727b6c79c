/** What `profiles init` needs to know: by options, else by questions where there is a terminal, else by what is usual. */
import { basename, extname } from 'node:path';
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import type { InitAsked } from '../operate/profiles-init.ts';
import { toText } from '../text/render.ts';
import { refuse } from './options.ts';
import { type Ask, askAll, isTerminal } from './prompt.ts';
import type { Session } from './session.ts';

export interface InitOptions {
  readonly from?: string;
  readonly model?: string;
  readonly quantization?: string;
  readonly maxModelLen?: string;
  readonly gpus?: string;
  readonly port?: string;
  readonly file?: string;
  readonly yes?: true;
}

export function completeInit(name: string | undefined, options: InitOptions, session: Session): Promise<InitAsked> {
  const { file, yes = false } = options;
  if (file !== undefined && !/\.ya?ml$/.test(file)) throw refuse(toText(say('profiles.init.bad-file', { file })), 'profiles init');
  const known = name ?? (file === undefined ? undefined : basename(file, extname(file)));
  const asks = isTerminal(session) && !yes;
  if (asks) return askAll(session, '--yes', (ask) => collect(known, options, { session, ask }));
  return collect(known, options, { session });
}

interface With {
  readonly session: Session;
  /** Absent where nobody can answer, or wants to. */
  readonly ask?: Ask;
}

async function collect(known: string | undefined, options: InitOptions, { session, ask }: With): Promise<InitAsked> {
  const { checkNewName, readParent, usualModel } = await import('../operate/profiles-init.ts');
  const { file, yes = false } = options;
  const name = known ?? (await need(say('profiles.init.ask-name'), 'NAME', ask));
  checkNewName(name, session.context);
  const usual = options.gpus === 'none' ? 'base/cpu' : 'base/gpu';
  const from = options.from ?? (await ask?.(say('profiles.init.ask-from'), usual)) ?? usual;
  const { model: inherited, profile } = await readParent(from, session.context);
  const model = options.model ?? (await ask?.(say('profiles.init.ask-model'), inherited ?? usualModel));
  if (model === undefined && inherited === undefined && !yes) await need(say('profiles.init.ask-model'), '--model');
  const length = String(profile.vllm['max-model-len'] ?? 'auto');
  const port = String(profile.server.port);
  const written: Readonly<Record<string, string | undefined>> = {
    model: toChanged(model ?? inherited ?? usualModel, inherited),
    quantization: options.quantization,
    'vllm.max-model-len': options.maxModelLen ?? toChanged(await ask?.(say('profiles.init.ask-length'), length), length),
    'resources.gpus': options.gpus,
    'server.port': options.port ?? toChanged(await ask?.(say('profiles.init.ask-port'), port), port),
  };
  const settings = Object.fromEntries(Object.entries(written).flatMap(([path, value]) => (value === undefined ? [] : [[path, value]])));
  return { name, from, settings, yes, ...(file === undefined ? {} : { file }) };
}

/** What the parent says anyway need not be written. */
function toChanged(value: string | undefined, inherited: string | undefined): string | undefined {
  return value === inherited ? undefined : value;
}

async function need(question: Message, option: string, ask?: Ask): Promise<string> {
  if (ask) return ask(question);
  throw DeployError.of('confirm/needed', { question: toText(question), option });
}
