/** Said by Docker and its kin before any engine ran. */
import type { Signature } from '../signature.ts';

export const containerSignatures: readonly Signature[] = [
  {
    cause: 'container_entrypoint_invalid',
    pattern:
      /exec:? "(?<program>[^"]{1,200})":? (?:executable file not found|stat .{1,200}no such file|no such file or directory|is a directory)/i,
  },
  {
    cause: 'container_entrypoint_invalid',
    pattern:
      /executable file not found in|exec format error|starting container process caused|exec \S{1,200}: no such file or directory|unable to start container process.{0,200}no such file/i,
  },
  {
    cause: 'container_entrypoint_invalid',
    pattern:
      /(?:sh|bash): (?:\d{1,4}: |line \d{1,6}: )?(?<program>(?:vllm|python\d{0,2}|python3\.\d{1,2}))(?:: command)?: not found|(?:vllm|python): command not found/,
  },
  { cause: 'docker_no_gpu_runtime', pattern: /could not select device driver/ },
  {
    cause: 'docker_no_gpu_runtime',
    pattern:
      /(?:unknown or invalid runtime name|unknown runtime specified|runtime "?nvidia"? (?:is )?not (?:found|installed|configured)):? ?"?nvidia?|unknown runtime specified|unknown or invalid runtime name/i,
  },
  {
    cause: 'docker_no_gpu_runtime',
    pattern:
      /failed to discover GPU vendor|unresolvable CDI devices|CDI device injection failed|nvidia-container-(?:runtime|toolkit)\S{0,20} .{0,60}(?:not found|no such file|not installed)|exec: "nvidia-container-runtime/i,
  },
  {
    cause: 'docker_no_gpu_runtime',
    pattern:
      /nvidia-container-cli: (?:initialization|detection|mount|ldcache|device|container|driver)\w{0,10}(?: error)?|libnvidia-ml\.so\.1: cannot open shared object|driver rpc error|nvml error: driver not loaded/i,
    role: 'hint',
  },
  {
    cause: 'image_pull_failure',
    pattern:
      /manifest for (?<image>\S{1,300}) not found|manifest unknown|No such image: ?(?<missing>\S{1,300})?|pull access denied|repository does not exist|invalid reference format|no matching manifest for/i,
    verdict: 'permanent',
    role: 'hint',
  },
  {
    cause: 'image_pull_failure',
    pattern:
      /toomanyrequests|pull rate limit|TLS handshake timeout|net\/http: request canceled|registry.{0,120}(?:i\/o timeout|no such host|connection refused|timed out|unexpected EOF)|received unexpected HTTP status: 5\d\d/i,
  },
  {
    cause: 'image_pull_failure',
    pattern:
      /failed to resolve reference|ImagePullBackOff|ErrImagePull|Back-off pulling image|unauthorized: authentication required|failed to pull (?:and unpack )?image|Error response from daemon: Get "?https?:/i,
    role: 'hint',
    quiet: true,
  },
];
