/** The machine around the engine: ports, permissions, packages, compilers, sockets. */
import type { Signature } from '../signature.ts';

export const hostSignatures: readonly Signature[] = [
  { cause: 'port_in_use', pattern: /Bind for \S{1,60}:(?<port>\d{1,5}) failed: port is already allocated/ },
  { cause: 'port_in_use', pattern: /(?:bind on address \('[^']{0,60}', (?<port>\d{1,5}))\)?.{0,20}address already in use/i },
  { cause: 'port_in_use', pattern: /:(?<port>\d{1,5})(?:: bind|'?\)?)?: address already in use/i },
  {
    cause: 'port_in_use',
    pattern:
      /\[Errno (?:98|48)\]|address already in use|\bEADDRINUSE\b|port is already allocated|ports are not available|Only one usage of each socket address/i,
  },
  { cause: 'port_in_use', pattern: /Port (?<port>\d{1,5}) is (?:already )?in use/i },
  { cause: 'permission_denied', pattern: /\[Errno 13\] Permission denied(?:: ['"](?<path>[^'"]{1,400})['"])?/ },
  {
    cause: 'permission_denied',
    pattern:
      /PermissionError\b|Permission denied \(os error 13\)|failed to map segment from shared object|\[Errno 30\]|Read-only file system|\[Errno 1\] Operation not permitted/i,
  },
  {
    cause: 'permission_denied',
    pattern:
      /permission denied while trying to connect to the (?:Docker|docker)|exec: "[^"]{1,200}":? permission denied|uid not found: \d{1,9}|(?:cache|directory|folder) .{0,200}(?:is )?not writable/i,
  },
  { cause: 'permission_denied', pattern: /Permission denied\b/i, role: 'hint' },
  {
    cause: 'ipc_zmq_failure',
    pattern:
      /ipc path ["'](?<path>[^"']{1,400})["'] is longer than (?<limit>\d{1,4})|is longer than 10\d characters|AF_UNIX path too long|sun_path/i,
  },
  {
    cause: 'ipc_zmq_failure',
    pattern:
      /ZMQError: (?:No such file|No such device|Protocol not|Operation not supported|Invalid argument|File name too long|Not a directory|Permission denied|Read-only|Resource temporarily|Context was terminated)/,
  },
  {
    cause: 'ipc_zmq_failure',
    pattern: /\[Errno 36\] File name too long|Cannot bind (?:to )?ipc:|ipc:\/\/.{1,300}(?:too long|failed)/i,
    role: 'hint',
  },
  {
    cause: 'python_dependency_conflict',
    pattern: /undefined symbol: (?<symbol>\w{1,200})|undefined symbol|Symbol not found: ?(?<missing>\w{1,200})?/,
    quiet: true,
  },
  {
    cause: 'python_dependency_conflict',
    pattern:
      /'_OpNamespace' '\w{1,60}' object has no attribute|operator torchvision::\w{1,40} does not exist|version `[A-Z]{1,12}_[\d.]{1,12}' not found|GLIBC\w{0,4}_[\d.]{1,8}'? not found/,
  },
  {
    cause: 'python_dependency_conflict',
    pattern: /cannot import name '(?<name>[\w.]{1,100})' from '(?<module>[\w.]{1,100})'|ImportError: cannot import name/,
  },
  { cause: 'python_dependency_conflict', pattern: /No module named '(?<module>[\w.]{1,100})'/ },
  {
    cause: 'python_dependency_conflict',
    pattern:
      /compiled using NumPy 1\.x cannot be run|numpy\.dtype size changed|Numba needs NumPy|pydantic-core version .{1,40} (?:is )?incompatible|is required for a normal functioning of this module/i,
  },
  {
    cause: 'python_dependency_conflict',
    pattern:
      /PackageNotFoundError|DistributionNotFound|VersionConflict|Failed to import transformers\.|object has no attribute 'all_special_tokens_extended'|requires .{1,60}, but you have .{1,60} which is incompatible/,
  },
  {
    cause: 'python_dependency_conflict',
    pattern:
      /lib[\w.+-]{1,60}\.so[\d.]{0,12}: cannot open shared object file|module '[\w.]{1,100}' has no attribute '\w{1,100}'|partially initialized module/,
    role: 'hint',
  },
  {
    cause: 'python_dependency_conflict',
    pattern: /Please (?:install|pip install) .{1,80}(?:pip install|to use)|Requires? `?[\w.-]{1,60}`? to be installed/i,
    role: 'hint',
    confidence: 'likely',
  },
  {
    cause: 'torch_compile_or_triton_failure',
    pattern: /Failed to find C compiler|No working C\+\+ compiler|InvalidCxxCompiler|Could not find (?:a )?(?:C|C\+\+) compiler/i,
  },
  { cause: 'torch_compile_or_triton_failure', pattern: /(?:Python|pyconfig|cuda|patchlevel)\.h: No such file or directory/ },
  {
    cause: 'torch_compile_or_triton_failure',
    pattern:
      /ptxas fatal|Cannot find ptxas|PTXASError|ptxas.{0,60}(?:not found|No such file|failed|error)|is not defined for option 'gpu-name'/i,
  },
  {
    cause: 'torch_compile_or_triton_failure',
    pattern:
      /No such file or directory: '(?:gcc|cc|c\+\+|g\+\+|clang)'|(?:gcc|cc|g\+\+|c\+\+|clang): (?:command )?not found|cannot find -l(?:cuda|python)|CppCompileError|OutOfResources: out of resource/,
  },
  { cause: 'torch_compile_or_triton_failure', pattern: /CalledProcessError: Command '?\[?'?\S{0,100}(?:gcc|cc|g\+\+|clang|ptxas)\b/ },
  {
    cause: 'torch_compile_or_triton_failure',
    pattern:
      /InductorError|BackendCompilerFailed|torch\._dynamo\.exc\.\w{1,40}|triton\.compiler\.errors\.\w{1,40}|triton\.runtime\.errors\.\w{1,40}/,
    role: 'symptom',
    verdict: 'transient',
    confidence: 'likely',
  },
  {
    cause: 'flashinfer_jit_failure',
    pattern:
      /Could not find nvcc|nvcc(?:: command)?:? not found|No such file or directory: ['"]{1,2}(?:\S{0,100}\/)?(?:ninja|nvcc)\b|Ninja is required to load|nvcc fatal|CUDA_HOME environment variable is not set/i,
  },
  {
    cause: 'flashinfer_jit_failure',
    pattern:
      /CUDA compiler and CUDA toolkit headers are incompatible|Unsupported gpu architecture 'compute_|No supported CUDA architectures found|minimum required CUDA version/i,
  },
  {
    cause: 'flashinfer_jit_failure',
    pattern:
      /flashinfer.{0,200}(?:(?:failed to|cannot|could not|unable to) (?:build|compile|load)|build failed|compilation failed|version .{1,40} does not match)/i,
  },
  {
    cause: 'flashinfer_jit_failure',
    pattern:
      /Ninja build failed|Error building extension|ninja: build stopped|ninja exited with status|The detected CUDA version .{1,40} mismatches/,
    role: 'hint',
  },
  { cause: 'cpu_backend_failure', pattern: /status=4\/ILL|\bIllegal instruction\b|\bSIGILL\b/i, quiet: true },
  { cause: 'cpu_backend_failure', pattern: /Failed core proc\(s\): \{.{0,200}: -4[,}]|exit code: -4\b/ },
  {
    cause: 'cpu_backend_failure',
    pattern:
      /Available memory on node \d{1,4} \((?<freeGiB>[\d.]{1,12})\/(?<totalGiB>[\d.]{1,12}) GiB\) on kv cache allocation is less than requested memory for kv \((?<wantedGiB>[\d.]{1,12}) GiB\)/,
    judge: ({ totalGiB, wantedGiB }) => (Number(wantedGiB) > Number(totalGiB) ? 'permanent' : 'transient'),
  },
  { cause: 'cpu_backend_failure', pattern: /Not enough allowed NUMA nodes to bind threads/ },
  { cause: 'cpu_backend_failure', pattern: /\b_C\w{0,20}::\w{1,80}\(\) expected at most 0 argument/ },
  {
    cause: 'cpu_backend_failure',
    pattern:
      /(?:increase|decrease|insufficient|not enough|too small).{0,80}VLLM_CPU_KVCACHE_SPACE|VLLM_CPU_KVCACHE_SPACE.{0,80}(?:too small|too large|not enough|exceeds|insufficient)/i,
  },
  {
    cause: 'cpu_backend_failure',
    pattern:
      /(?:requires?|only works on machines with|does not support|needs).{0,80}(?:AVX-?512|AVX2|AMX)\b|not supported on (?:the )?CPU backend|CPU backend (?:only supports|does not support)/i,
  },
];
