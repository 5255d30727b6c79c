/**
 * The starts that failed when vLLM 0.32.0 was recorded (`test/fixtures/logs`), each as a person would write it: lines of
 * a profile on top of `tiny`. Its cause stands in `test/fixtures/failures/captures.json` under the same name.
 */
import { cpus, freemem, totalmem } from 'node:os';
import type { BrokenModel } from './models.ts';

export interface Case {
  /** Of the recorded log. */
  readonly name: string;
  /** YAML; `$HERE` is a folder with nothing in it, `$MODEL` that of `model`. */
  readonly profile: string;
  readonly model?: BrokenModel;
  /** Somebody listens on its port. */
  readonly portTaken?: true;
  /** A program of a person in front of vLLM's. */
  readonly wrapper?: Wrapper;
  /** No profile can say it: what would, and what it is refused with. The wrapper says it in its place. */
  readonly unsayable?: { readonly profile: string; readonly code: string; readonly path: string };
}

/** Words before those of vLLM, and after them. */
export interface Wrapper {
  readonly before?: string;
  readonly after?: string;
}

const vllm = (settings: string) => `vllm: { ${settings} }`;
const env = (variables: string) => `engine: { env: { ${variables} } }`;
const localModel = 'model: { source: local, path: $MODEL }';
/** Cores that this machine does not have. */
const beyond = cpus().length + 4;
/** A share of the memory that is not free: that of the recorded start, or all of it where there is plenty. */
const tooMuch = (share: number) => (freemem() / totalmem() < share - 0.02 ? share : 1);

export const cases: readonly Case[] = [
  { name: 'bad-architecture-unsupported', model: 'other-architecture', profile: localModel },
  { name: 'bad-auto-tool-choice-without-parser', profile: vllm('enable-auto-tool-choice: true') },
  {
    name: 'bad-batched-tokens-below-max-len-no-chunked-prefill',
    profile: vllm('max-num-batched-tokens: 64, max-model-len: 512, enable-chunked-prefill: false'),
  },
  { name: 'bad-block-size-7', profile: vllm('block-size: 7') },
  { name: 'bad-bool-with-value', profile: vllm("enable-chunked-prefill: 'False'") },
  { name: 'bad-chat-template-missing', profile: vllm('chat-template: $HERE/no.jinja') },
  { name: 'bad-choice-dtype', profile: vllm('dtype: fp9') },
  { name: 'bad-config-file-missing', profile: vllm('config: $HERE/no.yaml') },
  { name: 'bad-config-json-missing', model: 'no-config', profile: localModel },
  { name: 'bad-config-json-truncated', model: 'cut-config', profile: localModel },
  { name: 'bad-env-VLLM_PORT-uri', profile: env('VLLM_PORT: tcp://10.0.0.1:8000') },
  { name: 'bad-gpu-memory-utilization-1.5', profile: vllm('gpu-memory-utilization: 1.5') },
  { name: 'bad-host-not-local', profile: 'server: { host: 198.51.100.7, api-key: file:$HERE/key }' },
  { name: 'bad-kv-cache-larger-than-ram', profile: vllm('kv-cache-memory-bytes: 100000G') },
  { name: 'bad-kv-cache-too-small', profile: vllm('kv-cache-memory-bytes: 64K, max-model-len: 32768') },
  { name: 'bad-lora-adapter-missing', profile: 'lora: { a: $HERE/no-adapter }' },
  { name: 'bad-max-model-len-too-large', profile: vllm('max-model-len: 200000') },
  {
    name: 'bad-model-id-no-network',
    profile: `model: Qwen/Qwen3-0.6B\n${env('HTTPS_PROXY: "http://127.0.0.1:9", HTTP_PROXY: "http://127.0.0.1:9"')}`,
  },
  { name: 'bad-model-id-offline', profile: `model: Qwen/Qwen3-0.6B\n${env('HF_HUB_OFFLINE: "1", TRANSFORMERS_OFFLINE: "1"')}` },
  { name: 'bad-model-path-missing', profile: 'model: { source: local, path: $HERE/nope }' },
  { name: 'bad-model-type-unknown', model: 'other-type', profile: localModel },
  { name: 'bad-port-in-use', portTaken: true, profile: '' },
  {
    name: 'bad-port-out-of-range',
    profile: '',
    wrapper: { after: '--port 99999999' },
    unsayable: { profile: 'server: { port: 99999999 }', code: 'profile/wrong-value', path: 'server.port' },
  },
  { name: 'bad-quantization-awq-on-unquantised', profile: 'quantization: awq' },
  { name: 'bad-quantization-fp8', profile: 'quantization: fp8' },
  { name: 'bad-quantization-unknown', profile: 'quantization: squeezellm' },
  { name: 'bad-reasoning-parser', profile: vllm('reasoning-parser: nope') },
  {
    name: 'bad-served-model-name-empty',
    profile: '',
    wrapper: { after: "--served-model-name ''" },
    unsayable: { profile: "served-names: ['']", code: 'profile/wrong-value', path: 'served-names.0' },
  },
  {
    name: 'bad-served-model-name-no-value',
    profile: '',
    wrapper: { after: '--served-model-name' },
    unsayable: { profile: 'served-names: []', code: 'profile/wrong-value', path: 'served-names' },
  },
  { name: 'bad-ssl-keyfile-missing', profile: vllm('ssl-keyfile: $HERE/no.key, ssl-certfile: $HERE/no.crt') },
  { name: 'bad-tensor-parallel-0', profile: vllm('tensor-parallel-size: 0') },
  { name: 'bad-tensor-parallel-2', profile: vllm('tensor-parallel-size: 2') },
  { name: 'bad-tool-call-parser', profile: vllm('enable-auto-tool-choice: true, tool-call-parser: nope') },
  { name: 'bad-type-int', profile: vllm('max-num-seqs: abc') },
  { name: 'bad-unknown-flag', profile: vllm('no-such-flag: true') },
  { name: 'bad-weights-missing', profile: vllm('load-format: auto') },
  { name: 'bad-weights-truncated', model: 'cut-weights', profile: `${localModel}\n${vllm('load-format: auto')}` },
  { name: 'cap-address-space-3G', profile: '', wrapper: { before: 'prlimit --as=3221225472' } },
  { name: 'cap-cgroup-memory-1500M', profile: 'resources: { memory: 1500MiB }' },
  { name: 'cap-nofile-64', profile: '', wrapper: { before: 'prlimit --nofile=64:64' } },
  { name: 'cpu-gpu-memory-utilization-0.9', profile: vllm(`kv-cache-memory-bytes: null, gpu-memory-utilization: ${tooMuch(0.9)}`) },
  // Left to vLLM it is 0.92; a plan never leaves it to vLLM, it sets a size.
  { name: 'cpu-gpu-memory-utilization-default', profile: vllm(`kv-cache-memory-bytes: null, gpu-memory-utilization: ${tooMuch(0.92)}`) },
  { name: 'pin-omp-bind-no-such-core', profile: env(`VLLM_CPU_OMP_THREADS_BIND: ${beyond}-${beyond + 1}`) },
];
