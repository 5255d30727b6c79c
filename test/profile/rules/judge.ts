/** Texts of profiles, judged by the table of rules; a mark shows the line that a finding must name. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Finding } from '../../../src/core/finding.ts';
import { mergeLayers } from '../../../src/profile/inherit.ts';
import type { Layer } from '../../../src/profile/layer.ts';
import { parseProfile } from '../../../src/profile/parse.ts';
import type { Profile } from '../../../src/profile/profile.ts';
import { resolveProfile } from '../../../src/profile/resolve.ts';
import { checkProfileRules } from '../../../src/profile/rules/index.ts';
import { parseSets } from '../../../src/profile/set.ts';
import { toFlagCatalogue } from '../../../src/vllm/flags.ts';

const catalogue = toFlagCatalogue(JSON.parse(readFileSync(new URL('../../../data/flags/0.32.0.json', import.meta.url), 'utf8')));

/** Stands where the finding points to. */
const mark = '# <-';

export interface RuleCase {
  readonly code: string;
  /** One of the lines has the mark. */
  readonly bad: string;
  /** The nearest profile that is none of its business. */
  readonly good: string;
}

function resolve(text: string, sets: readonly string[] = []): Profile {
  const parsed = parseProfile(text, 'p.yaml');
  const given = parseSets(sets);
  expect([...parsed.findings, ...given.findings]).toEqual([]);
  const layers = [parsed.layer, given.layer].filter((layer): layer is Layer => layer !== undefined);
  const resolved = resolveProfile(mergeLayers(layers), { name: 'p', source: 'p.yaml' });
  if (!('profile' in resolved)) throw new Error(`not sound: ${JSON.stringify(resolved.findings)}`);
  return resolved.profile;
}

export function judge(text: string, sets: readonly string[] = []): readonly Finding[] {
  return checkProfileRules(resolve(text, sets), catalogue);
}

/** The finding is there, at its line; its fix cures it; and the nearest sound profile is let through. */
export function expectCase({ code, bad, good }: RuleCase): void {
  const found = judge(bad).filter((finding) => finding.code === code);
  expect(found, `${code} in\n${bad}`).not.toEqual([]);
  const line = bad.split('\n').findIndex((text) => text.includes(mark)) + 1;
  expect(found.map((finding) => finding.line)).toContain(line);
  for (const { fix } of found) {
    if (fix === undefined) continue;
    const sets = Object.entries(fix).map(([path, value]) => `${path}=${JSON.stringify(value)}`);
    expect(
      judge(bad, sets).filter((finding) => finding.code === code && finding.path === found[0]?.path),
      `${code} after ${sets.join(' ')}`,
    ).toEqual([]);
  }
  expect(
    judge(good).filter((finding) => finding.code === code),
    `${code} in\n${good}`,
  ).toEqual([]);
}
