/** The command line is refused: by argparse, by pydantic, or by vLLM's own checks of settings against each other. */
import type { Signature } from '../signature.ts';

export const argumentSignatures: readonly Signature[] = [
  { cause: 'unknown_argument', pattern: /unrecognized arguments?: *(?<flag>[^\s=]{1,200})/i },
  {
    cause: 'unknown_argument',
    pattern: /: error: (?:ambiguous option|no such option|unknown (?:option|argument)): *(?<flag>[^\s=]{1,200})/i,
  },
  {
    cause: 'unknown_argument',
    pattern: /(?:EngineArgs|LLM|AsyncLLM|LLMEngine)(?:\.__init__)?\(\) got an unexpected keyword argument '(?<flag>\w{1,100})'/,
  },
  { cause: 'unknown_argument', pattern: /unexpected option '(?<flag>--[\w-]{1,100})'/i },
  {
    cause: 'reasoning_or_tool_parser_invalid',
    pattern:
      /argument --(?<setting>tool-call|reasoning)-parser[^:\s]{0,40}: invalid choice: '(?<value>[^']{0,100})' \(choose from (?<choices>.{1,6000})/,
  },
  { cause: 'reasoning_or_tool_parser_invalid', pattern: /argument --(?:tool-call|reasoning)-parser[^:\s]{0,40}: (?:invalid|expected)/ },
  {
    cause: 'reasoning_or_tool_parser_invalid',
    pattern:
      /invalid (?<setting>tool[ -]call|reasoning) parser:? '?(?<value>[\w.-]{0,100})'?,? \(cho[o]{0,1}se from \{? ?(?<choices>[^}]{1,6000})/i,
  },
  { cause: 'reasoning_or_tool_parser_invalid', pattern: /invalid (?:tool[ -]call|reasoning) parser/i },
  {
    cause: 'reasoning_or_tool_parser_invalid',
    pattern:
      /(?<setting>reasoning|tool)[ _](?:call )?(?:parser|helper):? '(?<value>[^']{0,100})' (?:is )?not found\. Available (?:parsers|ones)?:? ?(?<choices>[^"]{1,6000})/i,
  },
  {
    cause: 'reasoning_or_tool_parser_invalid',
    pattern: /(?:reasoning|tool)[ _](?:call )?(?:parser|helper):? '[^']{0,100}' (?:is )?not found/i,
  },
  { cause: 'reasoning_or_tool_parser_invalid', pattern: /--enable-auto-tool-choice requires (?<missing>--tool-call-parser)/ },
  {
    cause: 'reasoning_or_tool_parser_invalid',
    pattern: /(?:no|unknown) (?:tool|reasoning)[ -](?:call[ -])?parser (?:named|registered|for|called)/i,
  },
  { cause: 'reasoning_or_tool_parser_invalid', pattern: /Failed to load module '[^']{0,200}' from/, role: 'hint' },
  {
    cause: 'max_model_len_exceeds_model',
    pattern:
      /User-specified max_model_len \((?<wantedLen>\d{1,12})\) is greater than the derived max_model_len \([^)\d]{0,80}(?<derivedLen>\d{1,12})/,
  },
  { cause: 'max_model_len_exceeds_model', pattern: /is greater than the derived max_model_len/ },
  {
    cause: 'max_model_len_exceeds_model',
    pattern: /max_model_len.{0,60}(?:exceeds|is larger than|is longer than) the model's (?:maximum|max|context)/i,
  },
  {
    cause: 'invalid_argument_value',
    pattern: /: error: argument (?<flag>-[^:\s]{1,100}): (?:expected|ignored explicit|not allowed with|invalid)/,
  },
  {
    cause: 'invalid_argument_value',
    pattern: /error: argument (?<flag>-[^:\s]{1,100}): invalid choice: '(?<value>[^']{0,200})' \(choose from (?<choices>.{1,6000})/,
  },
  {
    cause: 'invalid_argument_value',
    pattern: /error: argument (?<flag>-[^:\s]{1,100}): invalid \S{1,60}(?: \w{1,40})? value: '?(?<value>[^']{0,200})/,
  },
  { cause: 'invalid_argument_value', pattern: /error: argument (?<flag>[^:\s]{1,100}):/ },
  { cause: 'invalid_argument_value', pattern: /error: the following arguments are required: (?<flag>\S{1,100})/ },
  { cause: 'invalid_argument_value', pattern: /Value (?<value>.{1,200}) cannot be\s+converted to/ },
  { cause: 'invalid_argument_value', pattern: /cannot be converted to <(?:function|class)/ },
  // pydantic prints the setting's name on a line of its own, in front of what is wrong with it.
  {
    cause: 'invalid_argument_value',
    pattern:
      /^(?<setting>[a-z]\w{2,60})(?:\.[\w.[\]]{1,60})? {1,8}Input should be (?:(?<way>less|greater) than (?:or equal to )?(?<limit>-?[\d.]{1,12})|(?<choices>'.{1,2000}))/,
  },
  {
    cause: 'invalid_argument_value',
    pattern: /^(?<setting>[a-z]\w{2,60})(?:\.[\w.[\]]{1,60})? {1,8}(?:Input should be|Unexpected keyword argument|Extra inputs are not) /,
  },
  { cause: 'invalid_argument_value', pattern: /Input should be (?:a |an |one of|greater|less|'|None|in |either)/ },
  {
    cause: 'invalid_argument_value',
    pattern:
      /(?:Unexpected keyword argument|Extra inputs are not permitted|Field required|unable to parse string) ?(?:as an? \w{1,20} )?\[type=/i,
  },
  {
    cause: 'invalid_argument_value',
    pattern: /max_num_batched_tokens \(\d{1,12}\) (?:is smaller than max_model_len|must be greater than or equal to max_num_seqs)/,
  },
  { cause: 'invalid_argument_value', pattern: /Unknown quantization method: (?<value>[^\s.,]{1,80})/ },
  {
    cause: 'invalid_argument_value',
    pattern:
      /(?:Unknown|Unsupported|Invalid) (?:load[_ ]format|distributed executor backend|dtype|kv[_ ]cache[_ ]dtype|scheduling policy|model impl|KV connector|cudagraph mode|optimization level|quantization config)/i,
  },
  {
    cause: 'invalid_argument_value',
    pattern: /(?:Invalid|Unknown) (?:attention )?backend:? '?(?<value>[\w.]{1,80})'?\. (?:Valid|Available|Supported)/i,
  },
  { cause: 'invalid_argument_value', pattern: /Invalid value '[^']{0,200}' for (?:VLLM_)?\w{1,80}\. Valid options/ },
  { cause: 'invalid_argument_value', pattern: /No common block size for (?<value>\d{1,9})/ },
  { cause: 'invalid_argument_value', pattern: /VLLM_PORT '[^']{0,300}' appears to be a URI/ },
  { cause: 'invalid_argument_value', pattern: /port must be 0-65535/ },
  // An address can appear a moment later: an interface that comes up after us.
  { cause: 'invalid_argument_value', pattern: /\[Errno 99\]|Cannot assign requested address/i, role: 'hint', verdict: 'transient' },
  { cause: 'invalid_argument_value', pattern: /Unable to read the config file at (?<path>[^\s,]{1,400}[^\s,.])/ },
  {
    cause: 'invalid_argument_value',
    pattern: /(?:config|YAML) file (?:must be of a yaml|must have one of|is not a valid yaml)|yaml\.(?:scanner|parser)\.\w{1,30}Error/i,
  },
  {
    cause: 'invalid_argument_value',
    pattern: /in (?:create_ssl_context|load_cert_chain)\b|\[SSL\] PEM lib|KEY_VALUES_MISMATCH/,
    role: 'hint',
  },
  { cause: 'invalid_argument_value', pattern: /GPU memory utilization must be (?:less than|in|between|greater)/i },
  {
    cause: 'invalid_argument_value',
    pattern:
      /(?:ValueError|TypeError|AssertionError|Value error)[:,] [`'"]?(?:--)?(?<setting>(?:gpu|max|num|tensor|pipeline|data|block|swap|cpu|kv|speculative|scheduler|enable|disable|decode|prefill|long|compilation|cudagraph|limit|mm)[_-][\w-]{1,60})[`'"]?(?: \([^)]{0,60}\))?(?: value)? (?:must|should|cannot|can not|has to|needs|requires|is not (?:supported|valid|allowed))\b/,
  },
  { cause: 'invalid_argument_value', pattern: /(?:Pipeline|Data|Expert|Context) parallel(?:ism)? is not supported (?:for|with|by)/i },
  { cause: 'invalid_argument_value', pattern: /is not supported for quantization method (?<method>[\w.-]{1,60})\. Supported dtypes/ },
  { cause: 'invalid_argument_value', pattern: /does not support (?:float16|bfloat16)\. Reason/ },
  {
    cause: 'invalid_argument_value',
    pattern: /API server count must|Cannot (?:use|specify|set|enable|combine) (?:both )?[`'"]?--[\w-]{1,60}/i,
  },
  {
    cause: 'invalid_argument_value',
    pattern: /libgomp: (?:Invalid value for environment variable|Affinity not|Thread creation failed: Invalid argument)/,
    role: 'hint',
    verdict: 'transient',
  },
  {
    cause: 'invalid_argument_value',
    pattern: /rope_(?:scaling|parameters|theta)[`']?(?:'s)? (?:must|should|field)|Unknown RoPE scaling type/i,
  },
  {
    cause: 'invalid_argument_value',
    pattern: /Value error, (?<problem>.{1,300})/,
    role: 'symptom',
    verdict: 'transient',
    confidence: 'unsure',
  },
  {
    cause: 'not_enough_gpus',
    pattern: /World size \((?<wanted>\d{1,6})\) is larger than the number of available GPUs \((?<available>\d{1,6})\)/i,
  },
  {
    cause: 'not_enough_gpus',
    pattern:
      /parallel size \((?<wanted>\d{1,6})\) (?:cannot be larger|is larger|must be less|exceeds).{0,60}GPUs(?: \((?<available>\d{1,6})\))?/i,
  },
  { cause: 'not_enough_gpus', pattern: /number of required (?:GPUs|XPUs|NPUs) exceeds the total number of available/i },
  {
    cause: 'not_enough_gpus',
    pattern: /world_size \((?<wanted>\d{1,6})\) is less than (?:than )?max local gpu count \((?<available>\d{1,6})\)/i,
  },
  {
    cause: 'not_enough_gpus',
    pattern: /DP adjusted local rank \d{1,6} is out of bounds|local rank \d{1,6}.{0,40}(?:exceeds|out of range|is out of bounds)/i,
  },
  { cause: 'not_enough_gpus', pattern: /invalid device ordinal|cudaErrorInvalidDevice|CUDA_ERROR_INVALID_DEVICE/, role: 'hint' },
  // A cluster may still be gathering its nodes.
  {
    cause: 'not_enough_gpus',
    pattern: /Cannot provide a placement group|No available node types can fulfill|Ray cluster.{0,60}(?:not enough|insufficient) GPUs/i,
    verdict: 'transient',
  },
  { cause: 'not_enough_gpus', pattern: /(?:not enough|insufficient|too few) (?:visible |available )?GPUs/i, role: 'hint' },
  {
    cause: 'tensor_parallel_indivisible',
    pattern: /attention heads \((?<heads>\d{1,6})\) must be divisible by tensor parallel size \((?<size>\d{1,6})\)/i,
  },
  {
    cause: 'tensor_parallel_indivisible',
    pattern: /must be divisible by (?:the )?(?:tensor|pipeline|expert)[ _-](?:model[ _-])?parallel/i,
  },
  {
    cause: 'tensor_parallel_indivisible',
    pattern: /is not divisible by (?:weight quantization block|min_thread|tensor|tp|the tensor|world)/i,
  },
  { cause: 'tensor_parallel_indivisible', pattern: /(?:AssertionError|ValueError|Error): \d{1,9} is not divisible by \d{1,9}/ },
  { cause: 'tensor_parallel_indivisible', pattern: /not aligned with the quantized weight shape|too large tensor parallel size/i },
  {
    cause: 'tensor_parallel_indivisible',
    pattern: /\w{1,40}(?:heads|experts|size|layers)\w{0,20} ?\(?=? ?\d{0,9}\)? (?:is not|must be|not) divisible by/i,
    role: 'hint',
  },
  { cause: 'lora_failure', pattern: /LoRA rank (?<rank>\d{1,6}) is greater than max_lora_rank (?<maximum>\d{1,6})/i },
  { cause: 'lora_failure', pattern: /Loading lora (?<adapter>\S{1,200}) failed(?:: No adapter found for (?<path>[^\s'"]{1,400}))?/i },
  {
    cause: 'lora_failure',
    pattern: /LoRAAdapterNotFoundError|No adapter found for (?<path>[^\s'"]{1,400})|Can't find 'adapter_config\.json'/,
  },
  {
    cause: 'lora_failure',
    pattern:
      /is unsupported LoRA weight|expected target modules in .{0,300} but received|does not (?:yet )?support DoRA|only supports? .{0,60} for LoRA|does not support LoRA|unsupported (?:modules|LoRA)/i,
  },
  {
    cause: 'lora_failure',
    pattern:
      /(?:Call to|calling) add_lora (?:method )?failed|Failed to (?:load|add) LoRA|LoRA (?:adapter )?.{0,80}(?:cannot be loaded|could not be loaded|shape mismatch)/i,
  },
  { cause: 'lora_failure', pattern: /LoRA added vocab size \d{1,9} is greater than|modules_to_save.{0,60}not supported/i },
];
