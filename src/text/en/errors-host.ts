/** The machine: its GPUs, memory, disk, programs. */
export const hostErrors = {
  'host/no-gpu': {
    message: 'This machine has no NVIDIA GPU that answers: {evidence}.',
    hint: '{profile} needs one with ≥ {need} free. Without a GPU: --profile tiny (real vLLM on the CPU) or --profile demo (simulated).',
  },
  'host/gpu-silent': {
    message: 'This machine shows signs of an NVIDIA GPU ({signs}), but it does not answer: {evidence}.',
    hint: 'Mend the driver first (reboot after an update, then run nvidia-smi by hand). To go on without the GPU, say so: --profile cpu, --profile tiny or --profile demo.',
  },
  'host/gpu-memory': {
    message: '{profile} needs {need} of GPU memory; {gpu} has {have} free.',
    hint: 'Free memory on the GPU (nvidia-smi lists who holds it), name another one (--set resources.gpus=[1]), or choose a smaller profile: qwen-deploy profiles list.',
  },
  'host/gpu-share': {
    message: 'gpu-memory-utilization {share} asks for {asked} of {gpu}, which has {have} free: vLLM would refuse to start.',
    hint: 'Free memory on the GPU (nvidia-smi lists who holds it), or ask for less: --set vllm.gpu-memory-utilization={fits}',
  },
  'host/gpu-small': {
    message: '{profile} needs {need} of GPU memory; its share of {gpu} (gpu-memory-utilization {share}) is {have}.',
    hint: 'What would help: {mend}.',
  },
  'host/gpu-cache': {
    message: '{profile}: kv-cache-memory-bytes is {have}, and one request of full length needs {need} of cache.',
    hint: 'What would help: {mend}, or a larger --set vllm.kv-cache-memory-bytes=…',
  },
  'host/gpu-replicas': {
    message: '{count} replicas share {gpu}, each with gpu-memory-utilization {share}: {sum} of 1 in all.',
    hint: 'Give each one less (--set vllm.gpu-memory-utilization={fits}), or start fewer: --set replicas=1.',
  },
  'host/gpu-replicas-memory': {
    message: '{count} replicas share {gpu} and need {need} together; it has {have}.',
    hint: 'Start fewer (--set replicas=1), or give each one less: --set vllm.kv-cache-memory-bytes=…',
  },
  'host/gpu-name': {
    message: '--gpu "{name}" is no GPU that is known here.{nearest}',
    hint: 'Write it as its maker does, for example --gpu "RTX 4090" or --gpu "2x L4".',
  },
  'host/gpu-unclear': {
    message: '--gpu "{name}" can mean several: {names}.',
    hint: 'Write one of them in full: they differ in memory or in compute capability.',
  },
  'host/gpu-unknown': {
    message: 'resources.gpus names {missing}, and this machine has {have}.',
    hint: 'nvidia-smi -L lists them with their UUIDs.',
  },
  'host/gpu-gone': {
    message: 'A GPU that {name} is started on is not there any more.',
    hint: 'nvidia-smi -L lists those that are. qwen-deploy up -p PROFILE plans with them; in the first 10 minutes after a boot it is tried again by itself.',
  },
  'host/gpu-changed': {
    message: 'A number among resources.gpus of {name} means another GPU than at the last start.',
    hint: 'Name GPUs by their UUIDs (nvidia-smi -L), and qwen-deploy up -p PROFILE.',
  },
  'host/gpu-needs-reset': {
    message: 'The driver wants a GPU of {name} reset before it is used again.',
    hint: 'End what runs on it, then: sudo nvidia-smi --gpu-reset -i NUMBER. This program never resets one by itself.',
  },
  'host/gpu-needs-reboot': {
    message: 'A GPU of {name} is lost until the machine is restarted.',
    hint: 'sudo reboot. If it is lost again, its power supply, its cooling or the card itself are at fault.',
  },
  'host/gpu-taken': {
    message: 'Another process holds GPU memory that {name} is started with.',
    hint: 'It is tried again by itself. nvidia-smi lists who holds it; a smaller share: --set vllm.gpu-memory-utilization=…',
  },
  'host/gpu-unsupported': {
    message: '{gpu} has compute capability {capability}; vLLM needs {least} or more.',
    hint: 'Without this GPU: --profile cpu or --profile tiny (real vLLM on the CPU), --profile demo (simulated).',
  },
  'host/gpu-count': {
    message: '{profile} spreads over {need} GPUs; {have} can be used here.',
    hint: 'Lower --set vllm.tensor-parallel-size=… or name more in resources.gpus.',
  },
  'host/disk-full': {
    message: 'Not enough disk space at {path}: {need} needed, {have} free.',
    hint: 'Free some space, or move the data directory: QWEN_DEPLOY_HOME=DIR or XDG_DATA_HOME=DIR.',
  },
  'host/cpus': { message: 'resources.cpus "{cpus}" cannot be used: {problem}', hint: 'This machine has CPUs {have}.' },
  'host/no-tool': {
    message: 'The program {tool} is needed for {purpose} and was not found on PATH.',
    hint: 'Install it ({package}) and try again.',
  },
  'host/io-failed': { message: 'This machine did not let us: {problem}.', hint: 'qwen-deploy events shows what was being done.' },
  'host/not-linux': { message: 'qwen-deploy serves on Linux only (this is {platform}).', hint: 'On Windows use WSL2.' },
  'host/not-written': {
    message: '{file} cannot be written: {problem}.',
    hint: 'Check the path, its permissions and the room on the disk.',
  },
  'host/cannot-start': { message: '{name} cannot start: {reason}.', hint: 'qwen-deploy events {name} shows what was tried.' },
} as const;
