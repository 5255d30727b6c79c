/** Remedies for the model: its files, its access, its architecture. */
import type { Remedy } from '../../../core/finding.ts';
import { say } from '../../../core/message.ts';
import { type RemedyFacts, type RemedyMaker, toRemedy } from './remedy.ts';

type ModelCause =
  | 'corrupted_checkpoint'
  | 'model_not_found'
  | 'model_gated_or_auth'
  | 'hub_unreachable'
  | 'tokenizer_or_chat_template'
  | 'unsupported_architecture';

export const modelRemedies: Readonly<Record<ModelCause, RemedyMaker>> = {
  corrupted_checkpoint: (known) => [
    toDownload(known, { text: say('cure.checkpoint.download'), force: true }),
    toRemedy(say('cure.checkpoint.path')),
  ],
  model_not_found: toMissingRemedies,
  model_gated_or_auth: () => [
    toRemedy(say('cure.access.token'), { 'engine.env.HF_TOKEN': 'env:HF_TOKEN' }),
    toRemedy(say('cure.access.licence')),
  ],
  hub_unreachable: (known) => [
    toRemedy(say('cure.hub.network')),
    toDownload(known, { text: say('cure.hub.download'), force: false }),
    toRemedy(say('cure.hub.mirror')),
  ],
  tokenizer_or_chat_template: toTemplateRemedies,
  unsupported_architecture: toArchitectureRemedies,
};

/** Only what looks like an id becomes part of a command. */
function toDownload({ settings }: RemedyFacts, { text, force }: { readonly text: Remedy['text']; readonly force: boolean }): Remedy {
  const model = settings['model'] ?? settings['model-tag'];
  const isId = typeof model === 'string' && /^[\w-][\w.-]{0,95}\/[\w.-]{1,96}$/.test(model);
  return toRemedy(text, undefined, isId ? `hf download ${model}${force ? ' --force-download' : ''}` : undefined);
}

function toMissingRemedies({ facts }: RemedyFacts): readonly Remedy[] {
  const path = facts['model'];
  if (path === undefined || !/^[./~]/.test(path)) return [toRemedy(say('cure.model.name')), toRemedy(say('cure.hub.network'))];
  return [toRemedy(say('cure.model.path', { path })), toRemedy(say('cure.model.mount'))];
}

function toTemplateRemedies({ text, settings }: RemedyFacts): readonly Remedy[] {
  const isGiven = settings['chat-template'] !== undefined || /path-like|doesn't exist|does not exist/.test(text);
  const leave = isGiven ? [toRemedy(say('cure.template.leave'), { 'vllm.chat-template': null })] : [];
  return [...leave, toRemedy(say('cure.template.pass'))];
}

function toArchitectureRemedies({ text }: RemedyFacts): readonly Remedy[] {
  const trust = /trust[_-]remote[_-]code|custom code/.test(text)
    ? [toRemedy(say('cure.code.trust'), { 'vllm.trust-remote-code': true })]
    : [];
  return [...trust, toRemedy(say('cure.engine.newer'))];
}
