#!/usr/bin/env bash
# Every download this project needs, idempotent: what is there already is not fetched again.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'deps: %s\n' "$*" >&2; }

need_rust=1.95
have_rust=$(rustc --version 2>/dev/null | awk '{print $2}') || true
if [ -z "$have_rust" ] || [ "$(printf '%s\n%s\n' "$need_rust" "$have_rust" | sort -V | head -n1)" != "$need_rust" ]; then
  say "Rust $need_rust or newer is needed, found '${have_rust:-none}': install it with rustup (https://rustup.rs)"
  exit 1
fi

# gcc and make build the C parts (zstd, SQLite, ring); mold links; ripgrep and python3 are the benchmark's; the rest is what the tests drive.
packages=(gcc make mold pkg-config chromium conmon runc busybox-static systemd-journal-remote rsyslog rsyslog-elasticsearch zstd ripgrep python3 python3-venv ca-certificates)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
    say "install these Debian packages, then run this again: sudo apt-get install ${missing[*]}"
    exit 1
  fi
  as_root=$([ "$(id -u)" -eq 0 ] || echo sudo)
  say "installing ${missing[*]}"
  $as_root apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

cargo fetch --locked --quiet

install_tool() { # name version
  local have
  have=$("$1" --version 2>/dev/null | awk 'NR==1 {print $2}') || true
  if [ -z "$have" ] || [ "$(printf '%s\n%s\n' "$2" "$have" | sort -V | head -n1)" != "$2" ]; then
    say "installing $1 $2"
    CARGO_TARGET_DIR="${TMPDIR:-/tmp}/locard-tools-target" cargo install --locked --quiet "$1@$2"
  fi
}
install_tool cargo-nextest 0.9.143
install_tool cargo-deny 0.20.2

if command -v npm >/dev/null; then
  stamp=ui/web/node_modules/.locard-stamp
  if ! cmp -s ui/web/package-lock.json "$stamp"; then
    say "npm ci in ui/web"
    (cd ui/web && npm ci --no-audit --no-fund --loglevel=error)
    cp ui/web/package-lock.json "$stamp"
  fi
else
  say "npm is not installed: the console will not be built (install Node.js 20 or newer for it)"
fi

# Clients of Elasticsearch and readers of Parquet that the tests run, each in an environment of its own: their versions do not live
# together. The lists are complete, but for half a gigabyte of vendors' SDKs that elastalert2 asks for and its test stands in for.
for list in tests/clients/*.txt; do
  name=$(basename "$list" .txt)
  stamp=target/clients/$name/.locard-stamp
  if ! cmp -s "$list" "$stamp"; then
    say "installing the Python client $name"
    python3 -m venv --clear "target/clients/$name"
    "target/clients/$name/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$list"
    cp "$list" "$stamp"
  fi
done
if command -v npm >/dev/null; then
  stamp=tests/clients/node_modules/.locard-stamp
  if ! cmp -s tests/clients/package-lock.json "$stamp"; then
    say "npm ci in tests/clients"
    (cd tests/clients && npm ci --no-audit --no-fund --loglevel=error)
    cp tests/clients/package-lock.json "$stamp"
  fi
fi
