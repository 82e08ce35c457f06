#!/usr/bin/env bash
# Makes .venv what it must be: uv, the locked set, and Podium in it, editable. Does nothing where it is that already.
#
#   scripts/bootstrap.sh [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3}
venv=.venv
# Bytecode is kept even where the caller keeps none: without it, everything starts twice as slowly.
unset PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH

fail() {
  echo "$1" >&2
  exit 1
}

say() { printf '%5d s  %s\n' "$SECONDS" "$1"; }

make_venv() {
  command -v "$python" > /dev/null || fail "There is no $python. Name another one: make PYTHON=/path/to/python3.11"
  "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' ||
    fail "Podium needs Python 3.11, 3.12 or 3.13, and $python is $("$python" -V). Try: make PYTHON=/path/to/python3.11"
  # Debian keeps what `venv` needs in a package of its own.
  if ! "$python" -c 'import ensurepip' 2> /dev/null; then
    say "Installing python3-venv ..."
    scripts/apt.sh python3-venv || fail "Without it there can be no .venv."
  fi
  say "Making .venv with $("$python" -V) ..."
  "$python" -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check uv || fail "uv could not be installed: is the machine online?"
}

# A folder that was moved has no working pip; one that was made halfway has no uv.
"$venv/bin/python" -c '' 2> /dev/null && "$venv/bin/uv" --version > /dev/null 2>&1 || make_venv

wanted=$(sha256sum < requirements.lock)
if [[ $wanted != "$(cat "$venv/.locked" 2> /dev/null)" ]]; then
  say "Installing the locked set ..."
  "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --require-hashes --compile-bytecode -r requirements.lock ||
    fail "The locked set could not be installed: is the machine online?"
  echo "$wanted" > "$venv/.locked"
  say "Installed the locked set"
fi

# The editable install links to each module that was there: one more, or one less, and it has to be made again.
modules=$(find agents client dashboards flows platform tasks -type f ! -path '*/__pycache__/*' | sort | cat - pyproject.toml)
if [[ $modules != "$(cat "$venv/.modules" 2> /dev/null)" ]] || ! compgen -G 'build/__editable__*' > /dev/null; then
  "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation -e . \
    --config-settings editable_mode=strict
  echo "$modules" > "$venv/.modules"
fi
