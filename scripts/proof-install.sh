#!/usr/bin/env bash
# `qwen-deploy install` against a real systemd user manager, also in a container without systemd as process 1: the
# manager runs in a mount namespace of its own, with a /run of its own. Needs root and systemd; takes about a minute.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ "${1:-}" != inside ]; then
  node scripts/build.mjs
  exec unshare --mount -- bash scripts/proof-install.sh inside
fi

work="$(mktemp -d)"
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system "/run/user/$UID"
chmod 700 "/run/user/$UID"
export XDG_RUNTIME_DIR="/run/user/$UID" HOME="$work" QWEN_DEPLOY_HOME="$work/a home 100%h"
unit=qwen-deploy-demo.service
passed=0

/lib/systemd/systemd --user --log-target=console > "$work/manager.log" 2>&1 &
manager=$!
trap 'node dist/main.js down demo --force -o quiet || true; kill "$manager"; wait "$manager" || true; rm -rf "$work"' EXIT

deploy() { node dist/main.js "$@"; }
# One member of the deployment's document, such as .pid
of() { deploy status demo -o json | node -p "JSON.parse(require('fs').readFileSync(0))$1"; }
supervisor() { systemctl --user show --property=MainPID --value "$unit"; }
restarts() { systemctl --user show --property=NRestarts --value "$unit"; }
is_active() { systemctl --user is-active --quiet "$unit"; }

# until DEADLINE_S WHAT COMMAND…
until_holds() {
  local deadline=$((SECONDS + $1)) what="$2"
  shift 2
  until "$@"; do
    if [ "$SECONDS" -gt "$deadline" ]; then
      echo "FAIL $what"
      cat "$work/manager.log"
      exit 1
    fi
    sleep 0.1
  done
  passed=$((passed + 1))
  echo "ok   $what"
}
is_kept() { [ "$(of .state)" = ready ] && [ "$(of .pid)" = "$engine" ] && [ "$(of '.supervisor?.pid')" = "$(supervisor)" ] && [ "$(supervisor)" != "$old" ]; }
is_over() { [ "$(of .state)" = stopped ] && ! is_active; }
is_free() { [ "$(of .pid)" = "$engine" ] && [ "$(of .supervised)" = true ] && ! is_active && [ ! -e "$HOME/.config/systemd/user/$unit" ]; }
is_running() { [ "$(systemctl --user is-system-running 2> /dev/null)" = running ]; }

until_holds 10 'a user manager of systemd runs' is_running
deploy up -p demo --set server.port=18767 -o quiet
engine="$(of .pid)" old="$(of .supervisor.pid)"
deploy install -o quiet
until_holds 10 'install relieves the supervisor that a shell had started; the engine is the same' is_kept
for signal in KILL TERM; do
  old="$(supervisor)"
  kill "-$signal" "$old"
  until_holds 10 "SIG$signal to the supervisor: another one, the same engine" is_kept
done
deploy down -o quiet
until_holds 15 'down ends the unit too, and systemd leaves it at that' is_over
deploy up -p demo --set server.port=18767 -o quiet
old=0 engine="$(of .pid)"
until_holds 10 'up starts the unit; now the engine is in its control group' is_kept
old="$(supervisor)"
kill -KILL "$old"
until_holds 10 'SIGKILL to the supervisor: an engine in the control group stays' is_kept
old="$(supervisor)"
systemctl --user restart "$unit"
until_holds 10 'systemctl restart: it stays' is_kept
sed -i s/WatchdogSec=60/WatchdogSec=4/ "$HOME/.config/systemd/user/$unit"
systemctl --user daemon-reload
systemctl --user restart "$unit"
old=0 before="$(restarts)"
sleep 10
[ "$(restarts)" = "$before" ] && until_holds 1 'it pings in time' is_kept
old="$(supervisor)"
kill -STOP "$old"
until_holds 20 'a supervisor that stands still is ended by the watchdog: another one, the same engine' is_kept
deploy uninstall -o quiet
until_holds 10 'uninstall: no unit, a supervisor beside systemd, the same engine' is_free
echo "$passed of 11"
[ "$passed" -eq 11 ]
