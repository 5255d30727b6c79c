#!/bin/sh
# guard.sh DIRECTORY ARGUMENTS…: runs dockerd until standard input ends, then removes all that it made. Input ends with
# the test that holds it, however that ends: an engine that outlives its test would hold mounts and memory.
# A line `halt` ends dockerd alone, a line `resume` begins it again.
directory=$1
shift
exec 3<&0
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
  dockerd "$@" >>"$directory/log" 2>&1 3<&- &
  echo $! >"$directory/guarded"
  wait $!
  status=$?
  [ -e "$directory/halted" ] || break
  while [ -e "$directory/halted" ]; do sleep 0.1; done
  [ ! -e "$directory/over" ] || break
done
kill "$watch" 2>/dev/null
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
