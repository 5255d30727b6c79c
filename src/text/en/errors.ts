/**
 * Every error code: what is wrong, with the wrong value, and the next step. `{name}` is a parameter.
 * Codes are stable public interface (`explain CODE`).
 */
export const errors = {
  'usage/invalid': { message: '{problem}', hint: 'qwen-deploy {command} --help shows what is possible.' },
  'usage/bad-line': { message: '{problem}', hint: 'qwen-deploy --help shows what is possible.' },
  'usage/bad-set': {
    message: '--set {text} is not of the form key.path=value.',
    hint: 'Write --set key.path=value, for example --set vllm.max-model-len=8192.',
  },

  'usage/replicas-foreground': {
    message: '--foreground keeps one deployment; {name} has {count} replicas.',
    hint: 'Leave --foreground away, or --set replicas=1.',
  },
  'usage/write-without-fix': {
    message: '--write puts into the profile what --fix had to change; without --fix there is nothing to write.',
    hint: 'Add --fix, or change the profile by hand.',
  },
  'usage/fix-needs-wait': {
    message: '--fix has to see whether the start succeeds, and so does not go with {option}.',
    hint: 'Leave one of the two away.',
  },
  'usage/too-large': {
    message: '{file} is larger than {most}, which no output of nvidia-smi is.',
    hint: 'Save one of: nvidia-smi -q -x, nvidia-smi -q, nvidia-smi.',
  },
  'usage/not-smi': {
    message: '{file} is no output of nvidia-smi that can be read: {problem}.',
    hint: 'On the other machine: nvidia-smi -q -x > FILE. Also understood: nvidia-smi, nvidia-smi -q, nvidia-smi -L, --query-gpu=… --format=csv.',
  },
  'usage/file-exists': { message: '{file} is there already.', hint: 'Name another file, or write over it with --force.' },
  'usage/not-a-log': {
    message: '{file} is no log: it holds bytes that are no text.',
    hint: 'Give what the engine printed: docker logs NAME 2>&1 | qwen-deploy explain --log -',
  },
  'usage/packed-log': {
    message: '{file} is packed with {packing}, which is not unpacked here.',
    hint: 'Unpack it on the way: {command} | qwen-deploy explain --log -',
  },
  'usage/unreadable-file': { message: '{file} cannot be read: {problem}.', hint: 'Check the path and its permissions.' },
  'usage/bad-version': { message: '"{version}" is not a version of vLLM.', hint: 'Write it as vLLM releases it, for example 0.32.0.' },

  'profile/unknown': {
    message: 'There is no profile "{name}".{nearest}',
    hint: 'qwen-deploy profiles list shows all; a path must start with . or / or end in .yaml.',
  },
  'profile/unreadable': { message: 'The profile {file} cannot be read: {problem}', hint: 'Check the path and its permissions.' },
  'profile/invalid': {
    message: 'The profile {source} cannot be used (problems: {count}).',
    hint: 'Every setting, in a profile that can: qwen-deploy profiles show tiny --explain',
  },
  'profile/cycle': { message: 'Profiles extend each other in a circle: {chain}.', hint: 'Remove one of these extends.' },

  'explain/unknown-code': { message: 'There is no code "{code}".{nearest}', hint: 'qwen-deploy explain --list shows all.' },
  'explain/unknown-flag': {
    message: 'vLLM {version} has no setting "{flag}", and no other version that is known here.{nearest}',
    hint: "Names are vLLM's long ones, without dashes in front.",
  },
  'explain/no-catalogue': {
    message: 'What vLLM {version} knows is not known here.',
    hint: 'The oldest is --engine-version {oldest}.',
  },

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
  'plan/refused': {
    message: '{name} cannot work here: {count} of its settings do not go with this machine.',
    hint: 'Each is named with what to change; qwen-deploy plan shows the rest.',
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

  'state/not-writable': {
    message: 'The directory {path} cannot be used: {problem}.',
    hint: 'Give it to this user (uid {uid}), or choose another place with QWEN_DEPLOY_HOME=DIR.',
  },
  'state/unsafe': {
    message: 'The directory {path} {problem}, so anybody could change what is started from it.',
    hint: 'chmod 700 {path}',
  },
  'state/link': {
    message: '{path} is a symbolic link, so somebody else could choose what is read or written there.',
    hint: 'See who made it (ls -l {path}), then rm {path}',
  },
  'state/newer': {
    message: 'The state of {name} was written by a newer qwen-deploy (schema {found}, this one knows {known}).',
    hint: 'Use the newer version, or qwen-deploy forget {name} once the deployment is down.',
  },
  'state/corrupt': {
    message: 'The state of {name} cannot be read: {problem}.',
    hint: 'It is kept as {kept}. qwen-deploy up ends what still runs of {name} and starts it anew; qwen-deploy forget {name} drops it.',
  },

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

  'model/adapter': {
    message: 'The LoRA adapter {name} cannot be used: {path} {problem}.',
    hint: 'Each path below lora must be a directory with adapter_config.json and adapter_model.safetensors.',
  },
  'model/missing': {
    message: 'The model directory {path} {problem}.',
    hint: 'model.path must be a directory with config.json and weights.',
  },

  'runtime/port-taken': {
    message: 'Port {port} on {host} is taken by {owner}.',
    hint: 'Choose another: --set server.port={free}',
  },
  'runtime/port-forbidden': {
    message: 'Port {port} may not be opened by this user.',
    hint: 'Choose one from 1024 up: --set server.port=8000',
  },
  'runtime/bad-address': {
    message: 'The address {host} is not of this machine.',
    hint: 'Use 127.0.0.1 (this machine only) or 0.0.0.0 (everybody).',
  },
  'runtime/spawn-failed': { message: '{program} could not be started: {problem}', hint: 'Try it by hand: {program} --version' },
  'runtime/hidden': {
    message: 'Process {pid} cannot be looked at: {problem}.',
    hint: 'Is /proc mounted with hidepid? Then only the user who started the engine sees it: run this as that user.',
  },
  'runtime/launch-files': {
    message: 'The files of a launch cannot be made in {path}: {problem}.',
    hint: 'Check that the disk has room and that this user may write there.',
  },
  'runtime/unkillable': {
    message: 'Something of {name} could not be stopped: {survivors}.',
    hint: 'A process in state D waits for a device or a file system; only the kernel can end it. Nothing new is started over it.',
  },
  'runtime/secret': {
    message: 'The secret {ref} cannot be read: {problem}.',
    hint: 'Set the variable or create the file for the user who runs qwen-deploy.',
  },
  'runtime/secret-file': {
    message: 'The secret file {path} is not used: {problem}.',
    hint: 'It must be a plain file of the user who runs qwen-deploy, for nobody else: chmod 600 {path}',
  },
  'docker/absent': {
    message: 'There is no Docker engine here: looked for {looked}.',
    hint: 'Install one (https://docs.docker.com/engine/install/) and start it: sudo systemctl start docker. One elsewhere: DOCKER_HOST=unix:///PATH. Without Docker: --backend process.',
  },
  'docker/forbidden': {
    message: 'This user may not use the Docker engine at {address}.',
    hint: 'Members of the group docker may (sudo usermod -aG docker $USER, then log in again), and they are as mighty as root. The other way is an engine without root: dockerd-rootless-setuptool.sh install. Without Docker: --backend process.',
  },
  'docker/silent': {
    message: 'The Docker engine at {address} did not answer within {waited}.',
    hint: 'See what it does: journalctl -u docker -u containerd -n 50. When it hangs: sudo systemctl restart docker.',
  },
  'docker/unreachable': {
    message: 'The Docker engine at {address} cannot be reached: {problem}.',
    hint: 'Does it run? systemctl status docker. Is it the right one? DOCKER_HOST, DOCKER_CONTEXT, docker context ls.',
  },
  'docker/bad-address': {
    message: 'No Docker engine can be asked at "{address}": that is no address of one.',
    hint: 'DOCKER_HOST takes unix:///PATH, tcp://HOST:PORT and ssh://USER@HOST (a password belongs to ssh, not there).',
  },
  'docker/no-context': {
    message: 'There is no Docker context "{context}".',
    hint: 'Those that there are: docker context ls. The engine of this machine: docker context use default, and no DOCKER_CONTEXT.',
  },
  'docker/broken': {
    message: 'The Docker engine at {address} broke off in the middle of its answer: {problem}.',
    hint: 'It may have been restarted: systemctl status docker. Try again.',
  },
  'docker/api-too-old': {
    message: 'The Docker engine at {address} speaks API {found}; {least} or newer is needed.',
    hint: 'Update it to Docker 20.10 or newer. Without Docker: --backend process.',
  },
  'docker/failed': {
    message: 'The Docker engine at {address} could not do it: {problem}',
    hint: 'Its own log may say more: journalctl -u docker -n 50.',
  },
  'docker/name-taken': {
    message: 'There is a container {name} already ({id}).',
    hint: 'Is it yours? docker inspect {name} shows what it is, docker rm removes it. It was not touched.',
  },
  'docker/no-image': {
    message: 'The image {image} is not on this machine.',
    hint: 'qwen-deploy engine install image {image}; where no registry can be reached: --from FILE.',
  },
  'docker/no-container': { message: 'The container {id} is gone.', hint: 'docker events --since 1h --until 0s shows who removed it.' },
  'docker/refused': {
    message: 'The Docker engine does not take it: {problem}',
    hint: 'Change the setting that it names.',
  },
  'docker/not-there': {
    message: 'The Docker engine does not find what is to be mounted: {problem}',
    hint: 'Was it removed since? Or does the engine run on another machine (DOCKER_HOST, docker context ls)? Files of this machine are not there: qwen-deploy has to run beside the engine.',
  },
  'docker/port-taken': {
    message: 'The port of the container is taken: {problem}',
    hint: 'Choose another: --set server.port=8001. Who has it: docker ps, ss -ltnp.',
  },
  'docker/gpu-runtime': {
    message: 'Docker cannot give the container a GPU: {problem}',
    hint: 'Install the NVIDIA Container Toolkit, then: sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker. What is amiss: qwen-deploy doctor.',
  },
  'docker/mount-refused': {
    message: 'engine.mounts: {source} cannot be mounted: {problem}.',
    hint: 'Name the directory or file that the engine needs, and nothing above it.',
  },
  'docker/disk-full': {
    message: 'The disk of the Docker engine is full: {problem}',
    hint: 'What takes the room: docker system df. Images that nothing uses: docker image prune -a.',
  },
  'docker/no-room': {
    message: 'The disk of the Docker engine is full: {path} had {free} free; {what} has {needed}, and takes more unpacked. {problem}',
    hint: 'What takes the room: docker system df. Images that nothing uses: docker image prune -a. Nothing of {what} was kept.',
  },
  'docker/wrong-content': {
    message: 'What the registry sent is not {image}: {problem}',
    hint: 'Nothing of it was kept. What {registry} has, or what lies between (a mirror, a proxy), is damaged or was exchanged: fetch it from elsewhere, or ask whoever runs it. When the digest was mistyped: engine.image=NAME@sha256:…',
  },
  'docker/image-not-found': {
    message: 'The registry has no image {image}: {problem}',
    hint: 'Check the name and the tag.',
  },
  'docker/image-denied': {
    message: 'The registry does not give {image}: {problem}',
    hint: 'Check the name; for one that not everybody may have: docker login {registry}',
  },
  'docker/registry': {
    message: 'The image {image} could not be fetched: {problem}',
    hint: 'Try again later. After too many requests, docker login {registry} raises the limit. Behind a proxy, the engine needs it too: systemctl edit docker.',
  },
  'docker/wrong-architecture': {
    message: 'The image {image} is not for this machine: {problem}',
    hint: 'Choose a tag that is made for {architecture}.',
  },
  'docker/bad-archive': {
    message: '{path} is not an archive of images: {problem}',
    hint: 'Make one where the image is: docker save -o FILE IMAGE. A compressed one is taken too.',
  },

  'profile/exposed': {
    message: 'server.host {host} is open to the network, and {problem}.',
    hint: '{mend}',
  },

  'supervisor/no-start': { message: 'The supervisor of {name} did not come up: {problem}', hint: 'Its log: {log}' },
  'supervisor/gone': {
    message: 'The supervisor of {name} ended while this command was waiting for it.',
    hint: 'qwen-deploy status {name} shows what is left; qwen-deploy up starts a new supervisor.',
  },
  'supervisor/silent': {
    message: 'The supervisor of {name} does not answer (waited {waited}).',
    hint: 'qwen-deploy logs {name} --supervisor shows what it said last. If it hangs, end it with kill -9: the engine serves on, and qwen-deploy up starts a new supervisor.',
  },
  'supervisor/running': { message: '{name} is already supervised by process {pid}.', hint: 'qwen-deploy status {name}' },
  'supervisor/protocol': {
    message: 'The supervisor of {name} answered {problem}.',
    hint: 'It may be of another version: qwen-deploy down {name}, then up.',
  },

  'deployment/left': {
    message: 'There is no deployment "{name}" any more, and a container of it: {container}.',
    hint: 'qwen-deploy forget {name} ends and removes it; so does the next qwen-deploy up of that name.',
  },
  'deployment/unknown': { message: 'There is no deployment "{name}".{nearest}', hint: 'qwen-deploy status lists what there is.' },
  'deployment/none': { message: 'There is no deployment.', hint: 'qwen-deploy up starts one.' },
  'deployment/several': { message: 'There are several deployments: {names}.', hint: 'Say which one: qwen-deploy {command} NAME' },
  'deployment/bad-name': {
    message: '"{name}" cannot be the name of a deployment.',
    hint: 'Use 1 to 63 lower-case letters, digits and dashes, beginning with a letter.',
  },
  'deployment/not-running': { message: '{name} is not ready (it is {state}).', hint: 'qwen-deploy up -p {profile}' },
  'deployment/is-up': { message: '{name} is not down.', hint: 'qwen-deploy down {name} first.' },
  'log/no-file': { message: 'There is no file {file}.', hint: 'Check the path; qwen-deploy explain --log - reads standard input.' },
  'log/empty': {
    message: '{file} is empty: there is nothing to be explained.',
    hint: 'vLLM writes to both outputs; docker logs NAME 2>&1 | qwen-deploy explain --log - takes both.',
  },
  'log/none': { message: '{name} has no {which} log.', hint: 'qwen-deploy events {name} shows what happened.' },

  'unit/none': { message: 'No deployment has a unit of systemd.', hint: 'qwen-deploy install NAME makes one.' },
  'unit/unknown': { message: 'There is no unit for "{name}".{nearest}', hint: 'qwen-deploy install {name} makes one.' },
  'unit/unwritable': {
    message: 'The path {value} cannot be written into a unit of systemd.',
    hint: 'Move it to one without control characters, without space at its ends and without a backslash at the last place.',
  },
  'unit/refused': {
    message: 'systemd-analyze would not take {unit}: {problem}',
    hint: 'Nothing was changed. An older systemd (before 244) cannot do this; systemctl --version says which one it is.',
  },
  'unit/systemctl': {
    message: 'systemctl --user {command} failed: {problem}',
    hint: 'What is wrong: systemctl --user status and journalctl --user -n 20. If nothing supervises now, qwen-deploy up NAME does.',
  },
  'unit/not-active': {
    message: '{unit} did not stay up.',
    hint: 'Its log: journalctl --user -u {unit} -n 20. The engine serves on; qwen-deploy status {name} says whether it is supervised.',
  },
  'unit/handover': {
    message: 'The supervisor of {name} (process {pid}) cannot be relieved: {problem}.',
    hint: 'If it hangs, end it with kill -9 {pid}: the engine serves on. Then run qwen-deploy install {name} again.',
  },

  'up/timed-out': {
    message: '{name} was not ready after {waited}; it goes on starting in the background.',
    hint: 'qwen-deploy status {name} --watch',
  },
  'down/timed-out': {
    message: '{name} was not proven stopped after {waited}; stopping goes on in the background.',
    hint: 'qwen-deploy down {name} --force ends it at once.',
  },
  'down/removal-owed': {
    message: 'No process of {name} is left, and its container {container} is still to be removed: Docker cannot be asked ({problem}).',
    hint: 'Its supervisor removes it as soon as Docker answers, and starts nothing before. Is Docker there? systemctl status docker. Then, to see it done: qwen-deploy down {name}',
  },
  'down/out-of-sight': {
    message: 'Whether {name} has stopped is not known: Docker, which runs its container {container}, cannot be asked ({problem}).',
    hint: 'Its supervisor ends and removes it as soon as Docker answers, and starts nothing before. Is Docker there? systemctl status docker. Then, to see it done: qwen-deploy down {name}',
  },
  'down/overtaken': {
    message: '{name} was asked to be up again (by {by}) while this command waited for its end.',
    hint: 'qwen-deploy status {name}',
  },
  'command/interrupted': {
    message: 'Interrupted.',
    hint: 'What was started goes on in the background: qwen-deploy status shows it, qwen-deploy down ends it.',
  },
  'confirm/needed': { message: '{question} (there is no terminal to ask)', hint: 'Answer with {option}.' },
  'confirm/declined': { message: 'Nothing was changed.', hint: '{option} goes on without asking.' },
  'ask/refused': { message: 'The engine refused the question: {problem}', hint: 'qwen-deploy logs {name} --tail 20' },
} as const;
