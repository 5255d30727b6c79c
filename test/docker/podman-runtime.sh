#!/bin/sh
# The OCI runtime for a test's Podman. Podman asks for as many open files and processes as only a root with all
# capabilities may give: what is above the own limits is left out.
drop_limits='
  const { readFileSync, writeFileSync } = require("node:fs");
  const [path, files, processes] = process.argv.slice(1);
  const config = JSON.parse(readFileSync(path, "utf8"));
  const most = { RLIMIT_NOFILE: Number(files), RLIMIT_NPROC: Number(processes) };
  const begun = config.process ?? config;
  begun.rlimits = (begun.rlimits ?? []).filter(({ type, hard }) => !(hard > most[type]));
  writeFileSync(path, JSON.stringify(config));
'
config= before=
for word in "$@"; do
  case $before in
    --bundle | -b) config=$word/config.json ;;
    # Of `exec`.
    --process | -p) config=$word ;;
  esac
  before=$word
done
if [ -n "$config" ]; then
  node -e "$drop_limits" "$config" "$(ulimit -H -n)" "$(awk '/Max processes/ { print $4 }' /proc/self/limits)" || exit
fi
exec runc "$@"
