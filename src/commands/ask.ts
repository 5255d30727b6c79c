import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { openAnswer } from '../views/answer.ts';
import { addExamples } from './examples.ts';
import type { Host } from './host.ts';
import { countOption, refuse } from './options.ts';
import type { Run } from './session.ts';

interface Options {
  readonly system?: string;
  readonly think?: boolean;
  readonly maxTokens?: number;
}

export function configure(command: Command, run: Run): void {
  command
    .usage('[options] [name] <question>')
    .argument('<question...>', toText(say('commands.argument.question')))
    .option('--system <text>', toText(say('commands.ask.system')))
    .option('--think', toText(say('commands.ask.think')))
    .option('--no-think', toText(say('commands.ask.no-think')))
    .addOption(countOption(command, '--max-tokens <count>', toText(say('commands.ask.max-tokens'))))
    .action((words: readonly string[], options: Options) =>
      run(async (session) => {
        const { ask } = await import('../operate/ask.ts');
        const request = await toRequest(words, options, session.host);
        const view = openAnswer(session.screen);
        const answer = await ask(request, session.context, view.show);
        view.end(answer);
        return undefined;
      }),
    );
  addExamples(command, ['ask "Hello"', 'ask chat --no-think "What is a KV cache?"', 'ask - < question.txt']);
}

async function toRequest(words: readonly string[], { system, think, maxTokens }: Options, host: Host) {
  if (words.length > 2) throw refuse(toText(say('commands.quote-question')), 'ask');
  const [name, question = ''] = words.length === 2 ? words : [undefined, words[0]];
  const text = question === '-' ? await readAll(host.stdin) : question;
  if (text.trim() === '') throw refuse(toText(say('commands.no-question')), 'ask');
  return {
    ...(name === undefined ? {} : { name }),
    text,
    ...(system === undefined ? {} : { system }),
    ...(think === undefined ? {} : { thinking: think }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
  };
}

async function readAll(stdin: Host['stdin']): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
