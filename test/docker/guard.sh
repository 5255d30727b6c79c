#!/bin/sh
# guard.sh DIRECTORY PROGRAM ARGUMENTS…: runs dockerd, or podman, until standard input ends, then removes all that it
# made. Input ends with the test that holds it, however that ends: an engine that outlives its test would hold mounts and
# memory.
# A line `halt` ends the engine alone, a line `resume` begins it again.
directory=$1
program=$2
shift 2
exec 3<&0
# What Podman and its plugins leave on a machine for good is taken away unless it was there before.
namespaces=/run/netns
[ -e "$namespaces" ] && keep_namespaces=1
list_chains() { iptables -t nat -S 2>/dev/null | sed -n 's/^-N \(CNI-[^ ]*\)$/\1/p'; }
chains=$(list_chains)
if [ -n "$QD_BRIDGE" ]; then
  # With an address before dockerd looks: it would choose one by itself, which another engine of a test may have.
  ip link add "$QD_BRIDGE" type bridge && ip addr add "$QD_BRIDGE_ADDRESS" dev "$QD_BRIDGE" && ip link set "$QD_BRIDGE" up || {
    rm -rf "$directory"
    exit 1
  }
fi
(
  while read -r command; do
    case $command in
      halt)
        : >"$directory/halted"
        kill -TERM "$(cat "$directory/guarded")"
        ;;
      resume) rm -f "$directory/halted" ;;
    esac
  done <&3
  : >"$directory/over"
  rm -f "$directory/halted"
  engine=$(cat "$directory/guarded")
  # One that a test has stopped takes no notice of SIGTERM.
  kill -TERM "$engine"
  kill -CONT "$engine"
  sleep 30
  kill -KILL "$engine"
) 2>/dev/null &
watch=$!
while :; do
  "$program" "$@" >>"$directory/log" 2>&1 3<&- &
  echo $! >"$directory/guarded"
  wait $!
  status=$?
  [ -e "$directory/halted" ] || break
  while [ -e "$directory/halted" ]; do sleep 0.1; done
  [ ! -e "$directory/over" ] || break
done
kill "$watch" 2>/dev/null
if [ "$program" = podman ]; then
  # Its containers outlive it, and are watched by processes of their own.
  podman rm --all --force --time 0 >>"$directory/log" 2>&1
  for conmon in $(pgrep -f "conmon .* $directory/"); do
    kill -KILL "$conmon"
  done
  rmdir /sys/fs/cgroup/libpod_parent/* /sys/fs/cgroup/libpod_parent /sys/fs/cgroup/*/libpod_parent/* /sys/fs/cgroup/*/libpod_parent 2>/dev/null
  # Unless it carries something by now.
  if [ -z "$chains" ] && ! iptables -t nat -S CNI-HOSTPORT-DNAT 2>/dev/null | grep -q '^-A'; then
    iptables -t nat -S 2>/dev/null | sed -n '/^-A [^C].* -j CNI-/s/^-A/-D/p' | while read -r rule; do
      eval "iptables -t nat $rule"
    done
    for chain in $(list_chains); do iptables -t nat -F "$chain"; done
    for chain in $(list_chains); do iptables -t nat -X "$chain"; done
  fi
  if [ -z "$keep_namespaces" ] && [ -z "$(ls -A "$namespaces" 2>/dev/null)" ]; then
    umount "$namespaces" && rmdir "$namespaces"
  fi
fi
# With live-restore its containers outlive it: their shims name this directory, and they are the shims' children.
for shim in $(pgrep -f "containerd-shim.* $directory/"); do
  pkill -KILL -P "$shim"
  kill -KILL "$shim"
done
# A lazy umount of the deepest first: what is mounted would keep the directory.
awk -v top="$directory/" 'index($5, top) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r point; do
  umount -l "$point"
done
[ -z "$QD_BRIDGE" ] || ip link del "$QD_BRIDGE"
[ "$status" -eq 0 ] || tail -n 20 "$directory/log" >&2
rm -rf "$directory"
exit "$status"
