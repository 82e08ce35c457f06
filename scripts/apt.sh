#!/usr/bin/env bash
# Installs those of the named Debian packages that are missing. Says what it can't do, and what to do then.
set -euo pipefail

missing=()
for package in "$@"; do
  state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2> /dev/null) || state=none
  [[ $state == installed ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

if ! command -v apt-get > /dev/null; then
  echo "This machine has no apt-get; install by its own means what Debian calls: ${missing[*]}" >&2
  exit 1
fi
if ((EUID)); then
  echo "Only root may install packages: sudo apt-get install ${missing[*]}" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
output=$(mktemp)
trap 'rm -f "$output"' EXIT
# Another apt may be at work, as on a machine that has just been started: wait for it.
options=(-qq -y -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 -o Dpkg::Use-Pty=0)
install=(apt-get install "${options[@]}" --no-install-recommends "${missing[@]}")
# The lists of packages may be missing or old; then, and only then, they are fetched.
if ! "${install[@]}" > "$output" 2>&1 < /dev/null; then
  if ! { apt-get update "${options[@]}" && "${install[@]}"; } > "$output" 2>&1 < /dev/null; then
    echo "Could not install ${missing[*]}:" >&2
    tail -n 5 "$output" | sed 's/^/  | /' >&2
    echo "Is the machine online, and no other apt at work? Then: apt-get update && apt-get install ${missing[*]}" >&2
    exit 1
  fi
fi
