/** What a GPU is to hold, for people. */
import { type Message, say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import type { Memory } from '../plan/plan.ts';
import { toText } from '../text/render.ts';
import type { Palette } from './screen.ts';
import { toWidth } from './tables.ts';

export function renderMemory(memory: Memory, palette: Palette): string {
  const rows = toRows(memory).map(([name, value]) => [toText(name), toText(value)] as const);
  const width = Math.max(...rows.map(([name]) => toWidth(name)));
  const lines = rows.map(([name, value]) => `  ${palette.dim(name)}${' '.repeat(width - toWidth(name))}  ${value}\n`);
  return `${palette.strong(toText(toTitle(memory)))}\n${lines.join('')}`;
}

function toTitle({ gpu = '', gpus, budgetBytes, totalBytes }: Memory): Message {
  const words = { gpu, budget: toSizeText(budgetBytes), total: toSizeText(totalBytes) };
  return gpus === 1 ? say('memory.title', words) : say('memory.title-each', { ...words, count: gpus });
}

type Row = readonly [name: Message, value: Message];

function toRows(memory: Memory): readonly Row[] {
  const { weightsBytes, activationBytes, graphBytes, overheadBytes, fits, source, suggestion } = memory;
  return [
    toSizeRow(say('memory.weights'), weightsBytes),
    toSizeRow(say('memory.activations'), activationBytes),
    ...(graphBytes === 0 ? [] : [toSizeRow(say('memory.graphs'), graphBytes)]),
    toSizeRow(say('memory.overhead'), overheadBytes),
    [say('memory.cache'), toCache(memory)],
    [say('memory.fits'), say(`memory.fits.${fits}`)],
    ...toNow(memory),
    ...(suggestion ? [[say('memory.suggestion'), suggestion.message] as const] : []),
    [say('memory.source'), say(`memory.source.${source}`)],
  ];
}

function toSizeRow(name: Message, bytes: number): Row {
  return [name, toPlain(toSizeText(bytes))];
}

/** Below zero there is no size to speak of. */
function toCache({ kvBytes, kvTokens, maxConcurrency }: Memory): Message {
  const size = toSizeText(Math.max(kvBytes, 0));
  if (kvTokens === undefined || maxConcurrency === undefined) return say('memory.cache-engine', { size });
  return say('memory.cache-tokens', { size, tokens: kvTokens.toLocaleString('en'), times: maxConcurrency.toLocaleString('en') });
}

function toNow({ fitsNow, freeBytes }: Memory): readonly Row[] {
  if (fitsNow === undefined || freeBytes === undefined) return [];
  return [[say('memory.now'), say(`memory.now.${fitsNow}`, { free: toSizeText(freeBytes) })]];
}

function toPlain(text: string): Message {
  return say('plan.sentence', { text });
}
