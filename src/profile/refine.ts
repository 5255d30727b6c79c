/** What the catalogue of flags adds to what the shape shows: an unknown key may be one of vLLM's own, in the wrong place. */
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import type { FlagCatalogue } from '../vllm/flags.ts';
import { toKebab, toMoveCure } from './cure.ts';
import { parseKeyPath, readAt, type Source } from './layer.ts';
import { checkRules } from './layer-rules.ts';
import { toKnownKeys } from './schema.ts';

export function checkPlaces(findings: readonly Finding[], sources: readonly Source[], { flags }: FlagCatalogue): readonly Finding[] {
  return findings.map((finding) => {
    const path = parseKeyPath(finding.path ?? '');
    const name = toKebab(path.at(-1) ?? '');
    const isUnknown = finding.code === 'profile/unknown-key' && finding.hint?.id !== 'profile.hint.place' && path[0] !== 'vllm';
    // Another spelling of a setting of ours is not meant for vLLM.
    const isOurs = toKnownKeys(path.slice(0, -1).join('.'))?.includes(name) || checkRules({ vllm: { [name]: true } }).length > 0;
    return isUnknown && Object.hasOwn(flags, name) && !isOurs ? toWrongPlace(finding, { path, name, sources }) : finding;
  });
}

interface Written {
  readonly path: readonly string[];
  /** Of the flag. */
  readonly name: string;
  readonly sources: readonly Source[];
}

function toWrongPlace({ hint: _, fix: __, ...finding }: Finding, { path, name, sources }: Written): Finding {
  const to = ['vllm', name];
  const own = sources.find((source) => readAt(source.value, path) !== undefined && source.locate(path, 'key').line === finding.line);
  const fix = own && toMoveCure({ from: path, to, tree: own.value });
  const right = to.join('.');
  const message = say('profile.wrong-place', { path: path.join('.') });
  return { ...finding, code: 'profile/wrong-place', message, hint: say('profile.hint.place', { right }), ...(fix ? { fix } : {}) };
}
