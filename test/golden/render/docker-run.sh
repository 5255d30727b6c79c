mkdir -p -m 700 '/home/me/my cache'
VLLM_API_KEY="${MY_KEY:?}" HF_TOKEN="$(cat '/run/my secrets/token')" docker run \
  ${HTTPS_PROXY+--env=HTTPS_PROXY} \
  --detach \
  --name qwen-deploy-tiny \
  --user 1000:1000 \
  --workdir / \
  --stop-timeout 45 \
  --env 'NOTE=it'\''s two words' \
  --init \
  --restart no \
  --publish 127.0.0.1:8000:8000/tcp \
  --gpus 'driver=nvidia,"device=GPU-1,GPU-2","capabilities=compute,utility"' \
  --cpuset-cpus 0-3 \
  --memory 4294967296 \
  --memory-swap 4294967296 \
  --pids-limit 512 \
  --shm-size 2147483648 \
  --ulimit core=0:0 \
  --ulimit nofile=4096:4096 \
  --read-only \
  --tmpfs /tmp:rw,exec,nosuid,nodev,mode=1777 \
  --tmpfs /run:rw,noexec,nosuid,nodev,mode=755 \
  --mount type=bind,source=/home/me/.cache/qwen-deploy/containers/x,target=/cache \
  --mount 'type=bind,"source=/models/it, ""s","target=/models/it, ""s",readonly' \
  --cap-drop ALL \
  --security-opt no-new-privileges \
  --log-driver local \
  --log-opt max-size=100000000 \
  --log-opt max-file=5 \
  --env VLLM_API_KEY \
  --env HF_TOKEN \
  --entrypoint vllm \
  vllm/vllm-openai:v0.32.0 \
  serve Qwen/Qwen3-0.6B \
  --port 8000 \
  --served-model-name a b \
  --chat-template 'a $b
c'
