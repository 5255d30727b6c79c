/** What the name of a container image says about the vLLM in it. */
export interface ImageFacts {
  readonly version?: string;
  readonly variant?: 'cpu';
  /** The profile has to name it: its version alone would be another image. */
  readonly isOwn: boolean;
  /** It is for hardware that is not served here. */
  readonly foreign?: string;
}

export function toImageFacts(image: string): ImageFacts {
  const [, name = '', tag, digest] = /^(.*?)(?::([\w][\w.-]*))?(@sha256:[0-9a-f]+)?$/.exec(image) ?? [];
  const [, version, rest] = /^v?(\d+\.\d+\.\d+(?:\.post\d+)?)(?:[.+-](.*))?$/.exec(tag ?? '') ?? [];
  const isCpu = /vllm-(openai-)?cpu/.test(name) || /(^|-)cpu(-|$)/.test(tag ?? '');
  const foreign = /\b(rocm|xpu|hpu|gaudi|neuron|tpu|ascend|npu)\b/.exec(`${name} ${tag ?? ''}`)?.[1];
  const isOfficial = /^(docker\.io\/)?vllm\/vllm-openai(-cpu)?$/.test(name);
  const isPlain =
    isOfficial && rest === undefined && digest === undefined && (version !== undefined || tag === undefined || tag === 'latest');
  return {
    ...(version === undefined ? {} : { version }),
    ...(isCpu ? { variant: 'cpu' } : {}),
    isOwn: image !== '' && !isPlain,
    ...(foreign === undefined ? {} : { foreign }),
  };
}
