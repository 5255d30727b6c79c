/** A profile as the files of other tools: made, written, or held against what is there. */
import { resolve } from 'node:path';
import { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import { toShellWord } from '../core/shell.ts';
import { errnoOf, readTextFile, writeFileAtomic } from '../host/files.ts';
import { renderComment } from '../render/comment.ts';
import { toText } from '../text/render.ts';
import type { Context } from './context.ts';
import { checkDockerRun, toDockerRunText } from './docker-run.ts';
import type { MadePlans } from './plan.ts';
import { chooseRef, type PlanUpRequest, planFor } from './plan-up.ts';
import { toUnitDifference } from './unit-text.ts';

export interface RenderRequest extends Omit<PlanUpRequest, 'backend' | 'install'> {
  readonly format: 'docker-run';
  /** Path of the file that it belongs into. */
  readonly out?: string;
}

export interface Rendered {
  readonly kind: 'RenderResult';
  readonly version: 1;
  readonly format: RenderRequest['format'];
  readonly files: readonly RenderedFile[];
  /** What it cannot do as `up` does, and what is wrong with the plan. */
  readonly warnings: readonly Finding[];
}

export interface RenderedFile {
  readonly path: string;
  readonly text: string;
}

/** Against what is there; `difference` line by line. */
export interface ComparedFile {
  readonly path: string;
  readonly is: 'same' | 'missing' | 'different';
  readonly difference: readonly string[];
}

/** Nothing is started, installed or written. The same profile on the same machine gives the same text. */
export async function renderProfile(request: RenderRequest, context: Context): Promise<Rendered> {
  const asked = { ...request, backend: 'docker', install: true } as const;
  const { ref } = await chooseRef(asked, context);
  const made = await planFor(ref, asked, context);
  const own = [...new Map(made.all.flatMap(checkDockerRun).map((finding) => [JSON.stringify(finding), finding])).values()];
  const text = toHeader(made, own, { ...request, profile: ref }) + made.all.map((one) => `\n${toDockerRunText(one)}`).join('');
  const path = request.out === undefined ? `${request.format}.sh` : resolve(context.cwd, request.out);
  const found = made.first.plan.findings.filter(({ severity }) => severity !== 'info');
  return { kind: 'RenderResult', version: 1, format: request.format, files: [{ path, text }], warnings: [...own, ...found] };
}

export async function compareRendered({ files }: Rendered): Promise<readonly ComparedFile[]> {
  return Promise.all(
    files.map(async ({ path, text }) => {
      const before = await readBefore(path);
      const is = before === undefined ? 'missing' : before === text ? 'same' : 'different';
      return { path, is, difference: toUnitDifference(before ?? '', text) } as const;
    }),
  );
}

/**
 * Returns what was there before. Throws `usage/file-exists` for a file that is not of this command, unless `force`, and
 * `host/not-written`.
 */
export async function writeRendered(rendered: Rendered, { force }: { readonly force: boolean }): Promise<readonly ComparedFile[]> {
  const compared = await compareRendered(rendered);
  for (const { path, text } of rendered.files) {
    const before = await readBefore(path);
    if (before === text) continue;
    if (before !== undefined && !force && !isOurs(before)) throw DeployError.of('usage/file-exists', { file: path });
    await writeFileAtomic(path, text, 0o644).catch((cause: unknown) => {
      throw DeployError.of('host/not-written', { file: path, problem: errnoOf(cause) ?? String(cause) }, { cause });
    });
  }
  return compared;
}

async function readBefore(path: string): Promise<string | undefined> {
  return readTextFile(path).catch((cause: unknown) => {
    throw DeployError.of('usage/unreadable-file', { file: path, problem: errnoOf(cause) ?? String(cause) }, { cause });
  });
}

/** By its first line, in whatever language. */
function isOurs(text: string): boolean {
  return /^# .*\bqwen-deploy render /.test(text);
}

function toHeader({ name, all }: MadePlans, warnings: readonly Finding[], request: RenderRequest): string {
  return renderComment([
    toText(say('render.made-by', { command: toOwnLine(request) })),
    toText(all.length === 1 ? say('render.docker-run', { name }) : say('render.docker-run-several', { name })),
    ...warnings.map(({ message }) => toText(message)),
  ]);
}

/** What one types to get it again. */
function toOwnLine({ name, profile, sets, engineVersion, gpu, format }: RenderRequest): string {
  const words = [
    ...(name === undefined ? [] : [name]),
    '-p',
    profile,
    ...sets.flatMap((set) => ['--set', set]),
    ...(engineVersion === undefined ? [] : ['--engine-version', engineVersion]),
    ...(gpu === undefined ? [] : ['--gpu', gpu]),
    '--format',
    format,
  ];
  return `qwen-deploy render ${words.map(toShellWord).join(' ')}`;
}
