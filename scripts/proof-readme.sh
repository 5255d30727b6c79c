#!/usr/bin/env bash
# npm run proof:readme — README's commands by the letter on a clean clone with an empty home: once as this machine is
# (must end on the real vLLM), once without Python and package index (must end on the simulator, said), then the tests.
set -euo pipefail
source="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
passed=0 failed=0

main() {
  git clone -q "$source" "$work/clone"
  cd "$work/clone"
  readme_with_index
  readme_without_python
  check 'npm ci && npm test' clean "$work/home" "$PATH" 'npm ci >/dev/null 2>&1 && npm test >/dev/null 2>&1'
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}

readme_with_index() {
  local home="$work/home"
  check 'npm ci && npx qwen-deploy up' clean "$home" "$PATH" 'npm ci && npx qwen-deploy up'
  check 'it is the real vLLM, ready' clean "$home" "$PATH" 'npx qwen-deploy status tiny -o json | grep "\"simulated\":false"'
  check 'a completion by curl' clean "$home" "$PATH" "curl -sf http://127.0.0.1:8000/v1/completions -H 'content-type: application/json' -d '{\"model\": \"Qwen3-0.6B\", \"prompt\": \"Hello\", \"max_tokens\": 4}' | grep text_completion"
  check 'down' clean "$home" "$PATH" 'npx qwen-deploy down'
  check 'port 8000 is free' free_port
}

readme_without_python() {
  local home="$work/home2" bin="$work/bin" tool
  mkdir -p "$bin"
  for tool in node npm npx sh bash env cat tee mkdir date mv flock taskset ls sed grep nice readlink dirname uname git curl; do
    ln -s "$(command -v "$tool")" "$bin/$tool"
  done
  check 'without Python: npm ci && npx qwen-deploy up' clean "$home" "$bin" 'npm ci && npx qwen-deploy up 2>&1 | tee up.log'
  check 'it says that nothing is a real model' grep -q 'Nothing below is a real model' up.log
  check 'it is the simulator, ready' clean "$home" "$bin" 'npx qwen-deploy status demo -o json | grep "\"simulated\":true"'
  check 'down' clean "$home" "$bin" 'npx qwen-deploy down'
}

# Nothing of this shell's home, caches and variables reaches the command.
clean() {
  local home="$1" path="$2"
  mkdir -p "$home"
  env -i PATH="$path" HOME="$home" npm_config_cache="$home/npm" bash -c "$3"
}

free_port() {
  ! curl -s -o /dev/null http://127.0.0.1:8000/health
}

check() {
  local name="$1" start=$SECONDS
  shift
  if "$@" > "$work/out" 2>&1; then
    passed=$((passed + 1))
    echo "ok    $name ($((SECONDS - start)) s)"
  else
    failed=$((failed + 1))
    echo "FAIL  $name"
    sed 's/^/      /' "$work/out" | tail -30
  fi
}

main
