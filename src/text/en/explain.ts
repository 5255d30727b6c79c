/** What `explain` says: what findings mean, and our advice about settings of vLLM that matter for Qwen3. */
export const explain = {
  'explain.default': 'default',
  'explain.column.code': 'CODE',
  'explain.column.message': 'MEANING',
  'explain.kind': 'value',
  'explain.choices': 'choices',
  'explain.known': 'known values',
  'explain.bounds': 'range',
  'explain.since': 'since',
  'explain.since-before': '{version} or earlier',
  'explain.last': 'last in',
  'explain.use': 'use instead',
  'explain.aliases': 'also called',
  'explain.negative': 'off',
  'explain.negative-none': 'cannot be switched off: leave it out',
  'explain.fields': 'fields',
  'explain.group': 'belongs to',
  'explain.deprecated': 'deprecated',
  'explain.depends': 'vLLM decides: by model, machine and other settings',
  'explain.exit': 'exit status {status}',
  'explain.catalogue': 'vLLM {version}',
  'explain.yes': 'yes',
  'explain.until': 'yes; {removal} is to remove it',

  'finding.profile/conflict': 'Two settings of a profile contradict each other.',
  'finding.profile/duplicate-key': 'A key stands twice in one map; only one of them can be meant.',
  'finding.profile/empty': 'The file has nothing in it.',
  'finding.profile/flag-abbreviation': 'An abbreviation of a setting of vLLM. The next version may take it for another one.',
  'finding.profile/flag-choice': 'A value that this version of vLLM does not know. As a warning: it can only come from a plug-in.',
  'finding.profile/flag-conflict': 'A whole value and a dotted part of it: vLLM merges nothing and takes one of them.',
  'finding.profile/flag-deprecated': 'It still works in this version of vLLM, and is to go.',
  'finding.profile/flag-field': 'A field that this JSON setting does not have in this version of vLLM.',
  'finding.profile/flag-negative': 'A switch of vLLM that can only be switched on.',
  'finding.profile/flag-platform': 'A setting that is only there on another kind of machine.',
  'finding.profile/flag-range': 'A number outside of what vLLM accepts. vLLM itself would say so only after its imports.',
  'finding.profile/flag-too-new': 'A setting that a later version of vLLM brought.',
  'finding.profile/flag-type': 'A value of the wrong kind.',
  'finding.profile/no-catalogue':
    'What this version of vLLM knows is not known here; another version stands in for it, or nothing is checked.',
  'finding.profile/no-effect': 'Understood, and of no effect in this version.',
  'finding.profile/no-model': 'A profile must say what to serve.',
  'finding.profile/not-a-map': 'A profile is a map of settings.',
  'finding.profile/not-yaml': 'The text cannot be read as YAML.',
  'finding.profile/removed-flag': 'A setting that older versions of vLLM had.',
  'finding.profile/reserved-variable': 'A variable that would break the engine, or that has its own place in a profile.',
  'finding.profile/secret': 'A secret stands where only a reference may stand: env:NAME or file:PATH.',
  'finding.profile/spelling': 'Understood by vLLM, and not the one spelling that profiles use.',
  'finding.profile/too-large': 'Too large to be a profile.',
  'finding.profile/unknown-flag': 'This version of vLLM has no such setting.',
  'finding.profile/unknown-key': 'A profile has no such setting.',
  'finding.profile/unknown-parent': 'extends names a profile that is not there.',
  'finding.profile/wrong-place': 'The setting exists, in another place of the profile.',
  'finding.profile/wrong-value': 'A value that the setting cannot have.',

  'advice.max-model-len':
    'Qwen3 knows 40960 tokens, 32768 of them for the prompt. Every token of a full request needs KV cache (112 KiB for the 0.6B, 144 KiB for the 4B), so write what you need. Beyond 40960: YaRN by hf-overrides.',
  'advice.gpu-memory-utilization':
    'The share of the whole GPU that one engine takes. 0.85 leaves room for CUDA graphs, the context and a desktop; several engines on one GPU must share 1. kv-cache-memory-bytes overrides it.',
  'advice.kv-cache-memory-bytes':
    'The exact size of the KV cache on each GPU. Better than a share where several engines live on one GPU, and on CPUs.',
  'advice.max-num-seqs':
    'Requests at work at once; more wait. Each needs KV cache and memory for sampling over 151936 tokens: 8 to 32 on small cards, 128 and more on large ones.',
  'advice.max-num-batched-tokens':
    'Tokens of one step. 2048 keeps the gaps between tokens short; 8192 and more fills the cache of long prompts faster. At least max-num-seqs; at least max-model-len when chunked prefill is off.',
  'advice.enable-prefix-caching': 'On by default for Qwen3. Prompts that begin alike are computed once; leave it on.',
  'advice.enable-chunked-prefill': 'On by default. Off, one long prompt stops all answers while it is read.',
  'advice.enforce-eager': 'Starts faster and takes less memory, and answers much slower on a GPU. Right on CPUs without a compiler.',
  'advice.dtype': 'bfloat16 needs compute capability 8.0; half runs from 7.5 on. auto takes what the checkpoint says.',
  'advice.kv-cache-dtype': 'fp8 halves the KV cache, from compute capability 8.9 on at full speed. Qwen3 loses little by it.',
  'advice.reasoning-parser': 'qwen3 puts the thoughts of Qwen3 into their own field of the answer.',
  'advice.tool-call-parser': 'hermes for Qwen3, qwen3_coder or qwen3_xml for Qwen3-Coder and newer ones; it needs enable-auto-tool-choice.',
  'advice.enable-auto-tool-choice': 'Lets the model call tools on its own; needs tool-call-parser: hermes for Qwen3.',
  'advice.default-chat-template-kwargs':
    'Whether Qwen3 thinks is set by thinking, at the top of the profile; enable_thinking here is refused.',
  'advice.hf-overrides':
    'YaRN for Qwen3 up to 131072 tokens: {rope_parameters: {rope_type: yarn, factor: 4.0, original_max_position_embeddings: 32768, rope_theta: 1000000}}. It hurts short texts a little.',
  'advice.override-generation-config':
    'Sampling when the request names none. Qwen3 thinking: temperature 0.6, top_p 0.95, top_k 20, never greedy; without thoughts: 0.7, 0.8, 20.',
  'advice.tensor-parallel-size': 'Pointless up to the 4B. It must divide the attention heads, and more than 8 copies the KV heads.',
  'advice.speculative-config':
    'Pays off where few requests run at once. ngram costs no memory: {method: ngram, num_speculative_tokens: 4, prompt_lookup_max: 4}.',
  'advice.max-num-queued-reqs':
    'With it, what is too much is refused at once (503) instead of waiting without end. It counts running requests too.',
  'advice.optimization-level':
    '0 starts fastest, for development; 2 is the default. On small models cudagraph-capture-sizes saves start time without slowing answers.',
} as const;
