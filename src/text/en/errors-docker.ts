/** Docker: its engine, images and containers. */
export const dockerErrors = {
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
} as const;
