import { describe, expect, it } from 'vitest';
import type { SettingValue } from '../../src/profile/profile.ts';
import { toFlagWords } from '../../src/vllm/flag-words.ts';

describe('toFlagWords', () => {
  it.each<[string, SettingValue, readonly string[]]>([
    ['enforce-eager', true, ['--enforce-eager']],
    ['enforce-eager', false, ['--no-enforce-eager']],
    ['max-num-seqs', 8, ['--max-num-seqs', '8']],
    ['max-model-len', -1, ['--max-model-len', '-1']],
    ['max-model-len', 'auto', ['--max-model-len', 'auto']],
    ['served-model-name', ['a', 'b'], ['--served-model-name', 'a', 'b']],
    ['compilation-config', { mode: 3 }, ['--compilation-config', '{"mode":3}']],
    ['compilation-config.mode', 3, ['--compilation-config.mode', '3']],
    ['lora-modules', [{ name: 'x', path: '/y' }], ['--lora-modules', '{"name":"x","path":"/y"}']],
    ['chat-template', '-odd', ['--chat-template=-odd']],
  ])('%s %j', (name, value, words) => {
    expect(toFlagWords(name, value)).toEqual(words);
  });
});
