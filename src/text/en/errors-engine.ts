/** Engines: what is installed, kept and known of them. */
export const engineErrors = {
  'engine/unknown': { message: 'There is no installed engine "{id}".{nearest}', hint: 'qwen-deploy engine list shows what is installed.' },
  'engine/no-python': {
    message: 'No usable Python was found for vLLM: {tried}.',
    hint: 'Install Python 3.11 to 3.13 with its venv module (Debian: apt install python3 python3-venv), or uv, which brings its own.',
  },
  'engine/no-venv': {
    message: '{python} cannot make a virtual environment: {problem}.',
    hint: 'Debian and Ubuntu: apt install python3-venv. Or install uv.',
  },
  'engine/not-installed': {
    message: 'vLLM {version} ({variant}) is not installed, and --no-install forbids installing it.',
    hint: 'qwen-deploy engine install {variant} --engine-version {version}',
  },
  'engine/no-index': {
    message: 'vLLM {version} ({variant}) cannot be installed: {problem}. Tried: {tried}.',
    hint: 'Behind a proxy or with a mirror: set HTTPS_PROXY, or your pip.conf. Offline: on a machine with network "pip download {download}", bring the files, then PIP_NO_INDEX=1 PIP_FIND_LINKS=DIR qwen-deploy engine install {variant} --engine-version {version}.',
  },
  'engine/install-failed': {
    message: 'Installing vLLM {version} ({variant}) failed at "{step}": {problem}',
    hint: 'The whole output is in {log}. Running the same command again goes on where it stopped.',
  },
  'engine/install-interrupted': {
    message: 'Installing vLLM {version} ({variant}) was interrupted; it does not count as installed.',
    hint: 'Running the same command again goes on where it stopped.',
  },
  'engine/broken': {
    message: 'The installed vLLM does not run: {problem}',
    hint: 'qwen-deploy engine remove {id}, then qwen-deploy engine install {variant}.',
  },
  'engine/gpu-needs-gpu': {
    message: 'The GPU engine needs an NVIDIA GPU, and {evidence}.',
    hint: 'Without a GPU: qwen-deploy engine install cpu. To see what would be installed: --dry-run.',
  },
  'engine/driver-too-old': {
    message: 'The NVIDIA driver {driver} runs CUDA up to {cuda}; vLLM {version} has wheels for {available}.',
    hint: 'Update the driver to {needed} or newer.',
  },
  'engine/flags-unreadable': {
    message: 'The settings of vLLM cannot be read from {program}: {problem}.',
    hint: 'Without them settings are checked by the nearest older version that is known.',
  },
  'engine/no-flags': {
    message: 'vLLM {version} is not installed here, so its settings cannot be read.',
    hint: 'qwen-deploy engine install cpu --engine-version {version}, or --executable with the path of its vllm program.',
  },
  'engine/none-installed': {
    message: 'No engine is installed here, so there are no settings to read.',
    hint: 'qwen-deploy engine install cpu, or --executable with the path of a vllm program.',
  },
  'engine/busy': { message: 'The engine {id} is being installed by another process.', hint: 'Wait for it to end, then try again.' },
  'engine/in-use': { message: 'The engine {id} is used by {deployments}.', hint: 'qwen-deploy down {first} first.' },
  'engine/image-bad-name': {
    message: '"{reference}" is no name of an image.',
    hint: 'Write name:tag or name@sha256:…, for example vllm/vllm-openai:v0.32.0.',
  },
  'engine/image-absent': {
    message: 'The image {reference} is not here, and fetching it was not asked for.',
    hint: 'qwen-deploy engine install image {reference}',
  },
  'engine/image-unreachable': {
    message: 'The image {reference} cannot be fetched: {problem}',
    hint: 'After too many requests: docker login. A mirror: QWEN_DEPLOY_IMAGE_PREFIX=mirror.example/dockerhub. Without network: on a machine that has it, qwen-deploy engine export {reference} --out image.tar; bring the file; here, qwen-deploy engine install image --from image.tar.',
  },
  'engine/image-interrupted': {
    message: 'Bringing the image {reference} was interrupted; it does not count as installed.',
    hint: 'Run the same command again. An engine with the image store of containerd goes on with the layers that are whole; others begin anew.',
  },
  'engine/image-changed': {
    message:
      'The image {reference} is not the one that was brought here: {now} instead of {before}. Somebody has moved the tag or built it anew.',
    hint: 'To take the new one: qwen-deploy engine install image {reference} --update. To always get the same one: engine.image with its digest (name@sha256:…).',
  },
  'engine/image-architecture': {
    message: 'The image {reference} is built for {found}; this machine is {wanted}.',
    hint: 'Choose the one for {wanted}: vllm/vllm-openai has it under the same tag, vllm/vllm-openai-cpu under -x86_64 and -arm64. qwen-deploy engine remove {reference} takes this one away.',
  },
  'engine/image-digest': {
    message: 'The image {reference} that Docker has is another one: {found}.',
    hint: 'Remove it (docker image rm {reference}) and fetch it again: qwen-deploy engine install image {reference}',
  },
  'engine/image-version': {
    message: 'The image {reference} has vLLM {found}, but {wanted} was asked for.',
    hint: 'Set engine.version (or --engine-version) to "{found}", or choose another image.',
  },
  'engine/image-lacking': {
    message: '{file} does not hold {reference}. It holds: {held}.',
    hint: 'Leave the name away to take all that it holds: qwen-deploy engine install image --from {file}',
  },
  'engine/image-in-use': {
    message: 'The image {reference} is used by {deployments}.',
    hint: 'qwen-deploy down {first} first.',
  },
  'engine/no-executable': {
    message: 'engine.executable {path} {problem}.',
    hint: 'Give the path of the vllm program of an environment, for example /opt/vllm/bin/vllm.',
  },
  'engine/version-mismatch': {
    message: '{program} is vLLM {found}, but the profile asks for {wanted}.',
    hint: 'Set engine.version to "{found}", or use another executable.',
  },
  'engine/failed': { message: '{name} did not start: {line}', hint: 'The whole log: qwen-deploy logs {name}' },
  'engine/shared-memory': {
    message: '{name} did not start, since /dev/shm is full or too small: {line}',
    hint: 'A container: --shm-size 2g. A machine: sudo mount -o remount,size=2G /dev/shm (what is left over lies in it). How much there is: qwen-deploy doctor',
  },
  'engine/compile-cache': {
    message: '{name} did not start, and its cache of compiled graphs may be damaged: {line}',
    hint: 'Clear it: rm -r ~/.cache/vllm/torch_compile_cache (below VLLM_CACHE_ROOT where that is set; of a container: below vllm/ of what plan shows mounted at /cache). Or try once without it: --set engine.env.VLLM_DISABLE_COMPILE_CACHE="1"',
  },
  'engine/never-ready': {
    message: '{name} did not become ready: {reason}',
    hint: 'The whole log: qwen-deploy logs {name}',
  },
  'engine/start-stalled': {
    message: '{name} showed no sign of life while it started: {line}',
    hint: 'If silence is normal there, wait longer for it: --set health.start-stall-after=15m. The whole log: qwen-deploy logs {name}',
  },
  'engine/download-stalled': {
    message: 'The download for {name} stood still: {line}',
    hint: 'See whether the hub can be reached: qwen-deploy doctor. It goes on where it stopped: qwen-deploy restart {name}. To wait longer: --set health.download-stall-after=10m',
  },
  'engine/replicas': {
    message: '{failed} of {count} replicas of {name} did not become ready: {names}. The others go on serving.',
    hint: 'The first reason: {reason}',
  },
  'engine/not-mended': {
    message: '{name} did not become ready with any of the changes that were tried ({tried}). {reason}',
    hint: 'Why: qwen-deploy logs {name}. As it was asked for: qwen-deploy restart {name} --reset',
  },
  'engine/rolled-back': {
    message: 'The new configuration of {name} did not become ready ({reason}); the last good one was started again.',
    hint: 'Its log: qwen-deploy logs {name} --launch previous',
  },
} as const;
