/** The model: its repository, its files, its tokenizer, its architecture. */
import type { Facts } from '../evidence.ts';
import type { Signature } from '../signature.ts';

export const checkpointSignatures: readonly Signature[] = [
  {
    cause: 'model_not_found',
    pattern: /Invalid repository ID or local directory specified(?:: *['"](?<model>[^'"]{1,400})['"])?/,
    judge: toPathVerdict,
    confidence: 'likely',
  },
  { cause: 'model_not_found', pattern: /Repo id must be in the form .{1,80}: ['"](?<model>[^'"]{1,400})['"]/, judge: toPathVerdict },
  { cause: 'model_not_found', pattern: /(?:is not a local folder and )?is not a valid model identifier listed on/ },
  {
    cause: 'model_not_found',
    pattern:
      /RepositoryNotFoundError|Repository Not Found for url|RevisionNotFoundError|Revision Not Found for url|is not a valid git identifier/,
  },
  {
    cause: 'model_not_found',
    pattern: /does not appear to have a file named config\.json|No such file or directory: ['"](?<model>[^'"]{0,400})\/config\.json/,
  },
  {
    cause: 'model_not_found',
    pattern:
      /ensure the presence of a 'config\.json'|(?:model|checkpoint) (?:path|directory|folder) .{1,200} (?:does not exist|not found)|Incorrect path_or_model_id/i,
    role: 'hint',
  },
  {
    cause: 'model_not_found',
    pattern: /The request model: \S{1,200} does not exist|404 Client Error: .{0,60}(?:huggingface|hf-mirror|modelscope|\/api\/models)/i,
    role: 'hint',
  },
  {
    cause: 'hub_unreachable',
    pattern: /LocalEntryNotFoundError|OfflineModeIsEnabled|outgoing traffic has been disabled|offline mode is enabled/i,
  },
  {
    cause: 'hub_unreachable',
    pattern: /couldn't connect to ['"]https?:|couldn't connect to the Hub|There was a specific connection error/i,
  },
  {
    cause: 'hub_unreachable',
    pattern:
      /(?:HfHubHTTPError|HTTPError|HTTPStatusError): (?:429|5\d\d) |(?:429 Client|50\d Server) Error.{0,200}(?:huggingface|hf-mirror|modelscope|hub|resolve)/i,
  },
  {
    cause: 'hub_unreachable',
    pattern:
      /trying to locate the file(?:s)? on the Hub and we cannot find|error happened while trying to locate the files? on the Hub|cannot find (?:the|an) appropriate (?:cached )?snapshot folder/i,
  },
  {
    cause: 'hub_unreachable',
    pattern:
      /(?:huggingface\.co|hf-mirror\.com|modelscope\.c\w|cdn-lfs\S{0,40}|xethub\.hf\.co).{0,300}(?:Max retries exceeded|timed out|Connection (?:refused|reset|aborted)|NameResolutionError|Name or service not known|Temporary failure in name resolution|CERTIFICATE_VERIFY_FAILED|ProxyError)/i,
  },
  {
    cause: 'hub_unreachable',
    pattern:
      /(?:Max retries exceeded|timed out|Failed to resolve|Failed to establish|Could not resolve host).{0,300}(?:huggingface\.co|hf-mirror\.com|modelscope\.c\w|xethub\.hf\.co)/i,
  },
  {
    cause: 'hub_unreachable',
    pattern:
      /(?:requests\.exceptions|urllib3\.exceptions)\.(?:ConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|MaxRetryError|NameResolutionError|NewConnectionError)|httpx\.(?:Connect(?:Error|Timeout)|ReadTimeout|ProxyError|RemoteProtocolError)/,
    role: 'hint',
  },
  {
    cause: 'hub_unreachable',
    pattern: /Temporary failure in name resolution|Name or service not known|CAS service error|\[Errno 101\] Network is unreachable/i,
    role: 'hint',
  },
  {
    cause: 'model_gated_or_auth',
    pattern:
      /trying to access a gated repo|GatedRepoError|Cannot access gated repo|is not in the authorized list|Access to model \S{1,200} is restricted|awaiting a review from the repo/i,
  },
  {
    cause: 'model_gated_or_auth',
    pattern:
      /(?:401|403) Client Error|403 Forbidden|Invalid user token|Invalid username or password|Invalid credentials in Authorization header|DisabledRepoError/i,
    role: 'hint',
  },
  {
    cause: 'model_gated_or_auth',
    pattern: /(?:token|HF_TOKEN).{0,40}(?:is invalid|has expired|is expired|not authorized|lacks permission)/i,
    role: 'hint',
  },
  { cause: 'corrupted_checkpoint', pattern: /Cannot find any model weights with [`'"](?<path>[^`'"]{1,400})[`'"]/ },
  { cause: 'corrupted_checkpoint', pattern: /Cannot find any model weights/ },
  {
    cause: 'corrupted_checkpoint',
    pattern: /Error while deserializing header|SafetensorError|MetadataIncompleteBuffer|HeaderTooLarge|InvalidHeaderDeserialization/,
  },
  {
    cause: 'corrupted_checkpoint',
    pattern: /PytorchStreamReader failed|invalid load key, '|UnpicklingError|Unable to load weights from|git-lfs\.github\.com\/spec/i,
  },
  {
    cause: 'corrupted_checkpoint',
    pattern: /(?:the )?config file at ['"](?<path>[^'"]{1,400})['"] is not a valid JSON file|is not a valid JSON file/,
  },
  {
    cause: 'corrupted_checkpoint',
    pattern:
      /Can't load (?:the )?(?:image processor|processor|feature extractor|video processor|configuration|config|the model) (?:for|of) ['"](?<path>[^'"]{1,400})['"]/,
  },
  { cause: 'corrupted_checkpoint', pattern: /does not appear to have (?:a file named|files named) (?<file>[\w.()-]{1,100})/, role: 'hint' },
  {
    cause: 'corrupted_checkpoint',
    pattern:
      /Following weights were not initialized from checkpoint|There is no module or parameter named|size mismatch for \S{1,200}:|Consistency check failed|(?:safetensors|weight|checkpoint) files? (?:is|are) (?:missing|corrupt\w{0,4}|incomplete)/i,
  },
  {
    cause: 'corrupted_checkpoint',
    pattern:
      /(?:No such file or directory: ['"][^'"]{0,400}\.(?:safetensors|bin|pt|gguf|index\.json)['"])|EntryNotFoundError|Attempted to load weight \(|GGUF magic invalid|invalid GGUF/i,
    role: 'hint',
  },
  { cause: 'corrupted_checkpoint', pattern: /json\.decoder\.JSONDecodeError/, role: 'hint', confidence: 'likely', verdict: 'transient' },
  {
    cause: 'tokenizer_or_chat_template',
    pattern:
      /default chat template is no longer allowed|tokenizer\.chat_template is not set|does not have a chat template|No chat template (?:found|is set|was)/i,
  },
  {
    cause: 'tokenizer_or_chat_template',
    pattern: /chat template string \(.{0,400}\) appears path-like|chat template .{1,200}(?:does not exist|doesn't exist|not found)/i,
  },
  {
    cause: 'tokenizer_or_chat_template',
    pattern:
      /Can't load tokenizer for|Tokenizer class \S{1,80} does not exist|Couldn't instantiate the backend tokenizer|Failed to load the tokenizer|Converting from (?:SentencePiece|Tiktoken)|Unable to load vocabulary/i,
  },
  {
    cause: 'tokenizer_or_chat_template',
    pattern:
      /data did not match any variant of untagged enum|jinja2\.exceptions\.\w{1,40}|Unrecognized tokenizer|tokenizer(?:_config)?\.(?:json|model).{0,60}(?:not found|missing|is not valid)/i,
  },
  {
    cause: 'unsupported_architecture',
    pattern:
      /Transformers does not recognize this architecture|The checkpoint you are trying to load has model type ['"`]?(?<type>[\w.-]{1,60})/,
  },
  {
    cause: 'unsupported_architecture',
    pattern: /Model architectures? (?:\[['"](?<type>[\w.-]{1,100})['"].{0,200}\]|\S{1,100}) (?:are|is) not supported/,
  },
  {
    cause: 'unsupported_architecture',
    pattern:
      /has no vLLM implementation and the Transformers implementation is not compatible|Unrecognized configuration class|No model architectures are specified|Unrecognized model in|is not supported by (?:this version of )?vLLM|Cannot find model module/i,
  },
  {
    cause: 'unsupported_architecture',
    pattern:
      /trust[_-]remote[_-]code(?<code>)=?['"`]? ?True|contains custom code which must be executed|(?:Please pass|pass) the argument [`'"]?trust_remote_code/,
  },
  {
    cause: 'unsupported_architecture',
    pattern: /failed to be inspected|KeyError: '(?:qwen|llama|mistral|gemma|phi|deepseek|glm|gpt|mixtral|granite|olmo)[\w.-]{0,40}'$/,
    role: 'hint',
    confidence: 'likely',
    verdict: 'transient',
  },
];

/** A path that holds nothing holds nothing the next time; an id may be missing because the hub was out of reach. */
function toPathVerdict({ model }: Facts): 'permanent' | 'transient' {
  return model !== undefined && /^[./~]/.test(model) ? 'permanent' : 'transient';
}
