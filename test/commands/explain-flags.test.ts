/** Every setting of every version can be explained, and what is said is what the catalogues say. */
import { describe, expect, it } from 'vitest';
import { toFlagExplanation } from '../../src/operate/explain.ts';
import { renderFlag } from '../../src/views/explain.ts';
import { createScreen } from '../views/samples.ts';
import { history, toCatalogue, versions } from '../vllm-room/flag-data.ts';

const { palette } = createScreen('plain').screen;

const explain = (text: string, version: string) => toFlagExplanation(text, { catalogue: toCatalogue(version), history });

/** By the catalogues alone. */
function firstOf(name: string): string | undefined {
  return versions.find((version) => Object.hasOwn(toCatalogue(version).flags, name));
}

it.each(versions)('every setting of %s', (version) => {
  const { flags, groups } = toCatalogue(version);
  for (const [name, flag] of Object.entries(flags)) {
    const found = explain(name, version);
    expect(found, name).toMatchObject({ flag: name, engineVersion: version, entry: { type: flag.kind, group: groups[flag.group] } });
    const { since, last, entry } = found;
    const first = firstOf(name);
    if (first === versions[0]) expect(since === undefined || Number(since.split('.')[1]) <= 24, name).toBe(true);
    else expect(since, name).toBe(first);
    const isLast = versions.at(-1) === versions.findLast((one) => Object.hasOwn(toCatalogue(one).flags, name));
    expect(last === undefined, name).toBe(isLast);
    expect([entry?.default, entry?.choices, entry?.knownValues, entry?.bounds], name).toEqual([
      flag.default,
      flag.choices,
      flag.known,
      flag.bounds,
    ]);
    const text = renderFlag(found, palette);
    for (const choice of flag.choices ?? []) expect(text).toContain(String(choice));
    expect(text).not.toMatch(/undefined|\[object/);
  }
});

it('every setting that ever was, in every version', () => {
  for (const version of versions) {
    for (const [name, { last, never }] of Object.entries(history.flags)) {
      const found = explain(name, version);
      expect(renderFlag(found, palette), name).not.toMatch(/undefined|\[object/);
      if (found.entry === undefined && found.flag === name) expect(found, name).toMatchObject(last === undefined ? {} : { last });
      if (never) expect(renderFlag(found, palette)).toContain('no version of vLLM had it');
    }
  }
});

describe('a field', () => {
  it.each<[string, object]>([
    ['compilation-config.mode', { type: 'string|integer', choices: expect.arrayContaining(['VLLM_COMPILE']) }],
    ['--speculative-config.num_speculative_tokens', { type: 'integer', bounds: { gt: 0 } }],
    ['-cc.pass_config', { fields: expect.arrayContaining(['eliminate_noops']) }],
  ])('%s', (name, entry) => {
    expect(explain(name, '0.32.0')).toMatchObject({ entry });
  });

  it('that is not there', () => {
    expect(() => explain('compilation-config.nope', '0.32.0')).toThrow('explain/unknown-flag');
    expect(() => explain('swap-space.nope', '0.32.0')).toThrow('explain/unknown-flag');
  });
});
