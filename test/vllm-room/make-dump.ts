/** What the dump script writes, with a handful of flags. */
export function makeDump(version: string) {
  const flag = (name: string, kind: string, more: Record<string, unknown> = {}) => ({
    flag: `--${name}`,
    aliases: [],
    negative: null,
    dest: name,
    group: 'serving',
    nargs: null,
    choices: null,
    default: null,
    nullable: false,
    deprecated: false,
    kind,
    ...more,
  });
  const inner = { name: 'inner', type: 'Inner|null', extra: 'ignore', fields: [{ name: 'name', type: 'string' }] };
  return {
    vllm_version: version,
    python: '3.11.9',
    platform: 'cpu',
    groups: ['options', 'serving'],
    flags: [
      flag('help', 'help', { group: 'options' }),
      flag('max-num-seqs', 'integer', { group: 'options', bounds: { ge: 1 }, nullable: true }),
      flag('enable-x', 'boolean', { negative: '--disable-x', negative_aliases: ['--no-enable-x'], default: false }),
      flag('some-device', 'string', { choices: ['auto', 'cpu'], default: 'auto' }),
      flag('tool-call-parser', 'string', { normalise: "'none' in any case means unset" }),
      flag('nested-config', 'json', {
        default_depends: true,
        json_class: 'NestedConfig',
        json_checked: true,
        extra: 'forbid',
        fields: [{ name: 'size', type: 'integer', bounds: { gt: 0 } }, inner],
      }),
      flag('odd', 'of-the-future'),
    ],
    registries: { tool_call_parser: ['hermes', 'qwen3_xml'], reasoning_parser: ['qwen3'] },
  };
}
