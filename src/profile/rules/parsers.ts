/** How answers are taken apart: thoughts, and calls of tools. */
import { say } from '../../core/message.ts';
import type { Profile } from '../profile.ts';
import { isOn, isWritten, toFieldPath, toFields, toModel, toWord } from './read.ts';
import type { ProfileRule, RuleHit } from './rule.ts';

const cards = 'model cards of Qwen3, Qwen3-Coder and Qwen3.5; docs/features/tool_calling of vLLM';

export const parserRules: readonly ProfileRule[] = [
  {
    code: 'profile/tools-without-parser',
    severity: 'error',
    source: 'vllm/entrypoints/launchers/cli_args.py validate_parsed_serve_args, 0.24 to 0.32',
    check: checkToolChoice,
  },
  {
    code: 'profile/tools-not-chosen',
    severity: 'warning',
    source: 'docs/features/tool_calling of vLLM: both settings are needed for tool_choice auto',
    check: checkToolParserAlone,
  },
  { code: 'profile/tool-parser-family', severity: 'warning', source: cards, check: checkToolParser },
  { code: 'profile/reasoning-parser-family', severity: 'warning', source: cards, check: checkReasoningParser },
  {
    code: 'profile/reasoning-parser-idle',
    severity: 'warning',
    source: 'vllm/parser/qwen3.py: begins in the thoughts unless enable_thinking is false, 0.32',
    check: checkIdleReasoning,
  },
  { code: 'profile/reasoning-in-text', severity: 'info', source: 'docs/features/reasoning_outputs of vLLM', check: checkMissingReasoning },
  { code: 'profile/thinking-impossible', severity: 'warning', source: 'model cards of the 2507 models', check: checkThinking },
  {
    code: 'profile/thinking-greedy',
    severity: 'warning',
    source: 'model card of Qwen3: never greedy while thinking, it ends in repetitions',
    check: checkGreedy,
  },
];

const toolParser = 'tool-call-parser';
const choice = 'enable-auto-tool-choice';
const reasoningParser = 'reasoning-parser';

function checkToolChoice(profile: Profile): readonly RuleHit[] {
  if (!isOn(profile, choice) || (toWord(profile, toolParser) ?? '') !== '') return [];
  const name = toModel(profile)?.toolParser;
  return [
    {
      path: `vllm.${choice}`,
      message: say('rule.tools-without-parser'),
      hint: say('rule.tools-without-parser.hint'),
      ...(name === undefined ? {} : { fix: { [`vllm.${toolParser}`]: name } }),
    },
  ];
}

function checkToolParserAlone(profile: Profile): readonly RuleHit[] {
  const parser = toWord(profile, toolParser) ?? '';
  if (parser === '' || isOn(profile, choice)) return [];
  const message = say('rule.tools-not-chosen', { parser });
  return [{ path: `vllm.${toolParser}`, message, hint: say('rule.tools-not-chosen.hint'), fix: { [`vllm.${choice}`]: true } }];
}

/** Each writes its calls in one form, which goes by several names; `hf` reads the form from the checkpoint. */
const toolParsers = {
  hermes: ['hermes', 'qwen3_json', 'hf'],
  qwen3_coder: ['qwen3_coder', 'qwen3_xml', 'hf'],
} as const;

function checkToolParser(profile: Profile): readonly RuleHit[] {
  const parser = toWord(profile, toolParser) ?? '';
  const model = toModel(profile);
  if (parser === '' || model?.toolParser === undefined || isWritten(profile, 'tool-parser-plugin')) return [];
  if ((toolParsers[model.toolParser] as readonly string[]).includes(parser)) return [];
  const message = say('rule.tool-parser-family', { parser, model: model.id });
  const hint = say('rule.parser-family.hint', { parser: model.toolParser });
  return [{ path: `vllm.${toolParser}`, message, hint, fix: { [`vllm.${toolParser}`]: model.toolParser } }];
}

function toReasoning(profile: Profile): string {
  return toWord(profile, reasoningParser) ?? '';
}

function checkReasoningParser(profile: Profile): readonly RuleHit[] {
  const parser = toReasoning(profile);
  const model = toModel(profile);
  if (parser === '' || model === undefined || model.thinking === 'never' || isWritten(profile, 'reasoning-parser-plugin')) return [];
  const good = model.thinking === 'always' ? ['qwen3', 'hf', 'deepseek_r1'] : ['qwen3', 'hf'];
  if (good.includes(parser)) return [];
  const message = say('rule.reasoning-parser-family', { parser, model: model.id });
  const hint = say('rule.parser-family.hint', { parser: 'qwen3' });
  return [{ path: `vllm.${reasoningParser}`, message, hint, fix: { [`vllm.${reasoningParser}`]: 'qwen3' } }];
}

/** Told that it may think, the parser takes everything up to the end of the thoughts for thoughts. */
function checkIdleReasoning(profile: Profile): readonly RuleHit[] {
  const parser = toReasoning(profile);
  const model = toModel(profile);
  if (parser === '' || model?.thinking !== 'never' || profile.thinking === 'off') return [];
  const path = `vllm.${reasoningParser}`;
  const message = say('rule.reasoning-parser-idle', { parser, model: model.id });
  return [{ path, message, hint: say('rule.reasoning-parser-idle.hint'), fix: { [path]: null } }];
}

function checkMissingReasoning(profile: Profile): readonly RuleHit[] {
  const model = toModel(profile);
  const thinks = model !== undefined && model.thinking !== 'never' && profile.thinking !== 'off';
  if (!thinks || toReasoning(profile) !== '' || profile.engine.backend === 'simulator') return [];
  // Nothing was written that could be pointed to, but the model.
  return [{ path: 'model', message: say('rule.reasoning-in-text', { model: model.id }), fix: { [`vllm.${reasoningParser}`]: 'qwen3' } }];
}

function checkThinking(profile: Profile): readonly RuleHit[] {
  const model = toModel(profile);
  const { thinking } = profile;
  const cannot = model?.thinking === 'never' ? thinking === 'on' : model?.thinking === 'always' && thinking === 'off';
  if (model === undefined || !cannot) return [];
  const message =
    thinking === 'on' ? say('rule.thinking-impossible.on', { model: model.id }) : say('rule.thinking-impossible.off', { model: model.id });
  return [{ path: 'thinking', message, hint: say('rule.thinking-impossible.hint'), fix: { thinking: 'request' } }];
}

function checkGreedy(profile: Profile): readonly RuleHit[] {
  const name = 'override-generation-config';
  const model = toModel(profile);
  const thinks = profile.thinking === 'on' || model?.thinking === 'always';
  if (!thinks || model?.thinking === 'never' || toFields(profile, name)?.temperature !== 0) return [];
  return [
    { path: toFieldPath(profile, name, 'temperature'), message: say('rule.thinking-greedy'), hint: say('rule.thinking-greedy.hint') },
  ];
}
