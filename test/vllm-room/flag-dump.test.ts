import { describe, expect, it } from 'vitest';
import { parseFlagDump, renderCatalogue, toCompactCatalogue } from '../../src/vllm/flag-dump.ts';
import { checkSettings, type FlagCatalogue, toFlagCatalogue } from '../../src/vllm/flags.ts';
import { makeDump } from './make-dump.ts';

const parse = (dump: unknown) => parseFlagDump(JSON.stringify(dump));

describe('parseFlagDump', () => {
  it('takes what the script writes', () => {
    expect(parse(makeDump('0.40.0'))).toMatchObject({ vllm_version: '0.40.0', platform: 'cpu' });
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['half of it', JSON.stringify(makeDump('0.40.0')).slice(0, 300)],
    ['something else', '{"a": 1}'],
    ['null', 'null'],
    ['no version', JSON.stringify({ ...makeDump('0.40.0'), vllm_version: 'main' })],
    ['no flags', JSON.stringify({ ...makeDump('0.40.0'), flags: [] })],
    ['flags of another program', JSON.stringify({ ...makeDump('0.40.0'), flags: makeDump('0.40.0').flags.slice(2) })],
    ['a flag without a name', JSON.stringify({ ...makeDump('0.40.0'), flags: [...makeDump('0.40.0').flags, { kind: 'string' }] })],
    ['a group that is not there', JSON.stringify({ ...makeDump('0.40.0'), groups: ['options'] })],
  ])('refuses %s', (_, text) => {
    expect(parseFlagDump(text)).toBeUndefined();
  });
});

describe('toCompactCatalogue', () => {
  const older: FlagCatalogue = {
    version: '0.39.0',
    groups: ['options'],
    flags: {
      'max-num-seqs': { kind: 'integer', group: 0, depends: true },
      'some-device': { kind: 'string', group: 0, choices: ['auto', 'cpu', 'cuda'], cpu: { choices: ['auto', 'cpu'] } },
    },
  };
  const dump = parseFlagDump(JSON.stringify(makeDump('0.40.0')));
  if (dump === undefined) throw new Error('no dump');
  const { flags } = toCompactCatalogue(dump, older);

  it('keeps what is not as usual', () => {
    expect(Object.keys(flags)).toEqual(['enable-x', 'max-num-seqs', 'nested-config', 'odd', 'some-device', 'tool-call-parser']);
    expect(flags['enable-x']).toEqual({ kind: 'boolean', group: 1, negative: '--disable-x', negatives: ['--no-enable-x'], default: false });
    expect(flags['tool-call-parser']).toEqual({ kind: 'string', group: 1, known: ['hermes', 'qwen3_xml'], none: true });
    expect(flags['nested-config']).toEqual({
      kind: 'json',
      group: 1,
      depends: true,
      checked: true,
      fields: { size: { type: 'integer', bounds: { gt: 0 } }, inner: { type: 'Inner|null', open: true, fields: { name: 'string' } } },
    });
    expect(flags.odd).toEqual({ kind: 'string', group: 1 });
  });

  it('carries over what a parser without a GPU cannot show', () => {
    expect(flags['max-num-seqs']).toEqual({ kind: 'integer', group: 0, bounds: { ge: 1 }, nullable: true, depends: true });
    expect(flags['some-device']?.choices).toEqual(['auto', 'cpu', 'cuda']);
    expect(toCompactCatalogue(dump).flags['some-device']?.choices).toEqual(['auto', 'cpu']);
  });

  it('is written one flag per line, and read again', () => {
    const text = renderCatalogue(toCompactCatalogue(dump, older), { schema: 1 });
    expect(text.split('\n')).toHaveLength(Object.keys(flags).length + 3);
    const read = toFlagCatalogue(JSON.parse(text));
    expect(read).toMatchObject({ schema: 1, version: '0.40.0', groups: dump.groups });
    expect(checkSettings({ 'enable-x': false, 'max-num-seqs': 0 }, read, { variant: 'gpu' })).toMatchObject([
      { code: 'profile/flag-range' },
    ]);
  });
});
