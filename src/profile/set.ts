/** `--set key.path=value`, any number of them → one layer that wins over all files. */
import { type Document, isScalar, parseDocument } from 'yaml';
import { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import { checkLayer } from './check.ts';
import { isMap, type Layer, parseKeyPath, type Source } from './layer.ts';
import type { Origin } from './profile.ts';

export interface ParsedSets {
  readonly layer?: Layer;
  readonly source: Source;
  readonly findings: readonly Finding[];
}

/** Throws `usage/bad-set` for a text without a path or `=`; what is wrong with a value is a finding. */
export function parseSets(texts: readonly string[]): ParsedSets {
  let value: Readonly<Record<string, unknown>> = {};
  const origins: Record<string, Origin> = {};
  const findings: Finding[] = [];
  for (const text of texts) {
    const at = text.indexOf('=');
    const path = text.slice(0, at).trim();
    if (at < 0 || !isPath(path)) throw DeployError.of('usage/bad-set', { text: at < 0 ? text : `${path}=…` });
    const document = parseDocument(text.slice(at + 1), { prettyErrors: false });
    const problem = document.errors[0];
    // The value itself is not repeated: it may be a secret.
    if (problem)
      findings.push({
        code: 'profile/not-yaml',
        severity: 'error',
        path,
        message: say('profile.set-not-yaml', { path, problem: problem.message }),
      });
    else {
      value = putAt(value, parseKeyPath(path), toSetValue(path, document));
      origins[path] = { from: 'set', text };
    }
  }
  const source = { value, locate: () => ({}) };
  const checked = checkLayer(value, source.locate);
  if (checked.is === 'broken') return { source, findings: [...findings, ...checked.findings] };
  return findings.length > 0 ? { source, findings } : { layer: { raw: checked.raw, origins }, source, findings };
}

function isPath(path: string): boolean {
  return path.split('.').every((step) => step !== '' && step !== '__proto__');
}

/** A version is text even where YAML reads a number (0.30 is 0.3): on a command line nobody quotes twice. */
function toSetValue(path: string, document: Document.Parsed): unknown {
  const { contents } = document;
  if (path === 'engine.version' && isScalar(contents) && typeof contents.value === 'number') return contents.source;
  return document.toJS();
}

function putAt(tree: Readonly<Record<string, unknown>>, path: readonly string[], value: unknown): Readonly<Record<string, unknown>> {
  const [step = '', ...rest] = path;
  if (rest.length === 0) return { ...tree, [step]: value };
  const below = tree[step];
  return { ...tree, [step]: putAt(isMap(below) ? below : {}, rest, value) };
}
