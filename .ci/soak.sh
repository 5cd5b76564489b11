#!/usr/bin/env bash
# What `make soak` runs: the fuzz targets for SOAK_SECONDS each, then the random tests with many more cases, then a long round of kill -9.
# Every part runs, whatever the others found; ends with 1 if any found something. Speaks to 127.0.0.1 only, and stops by itself.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_NET_OFFLINE=true
seconds=${SOAK_SECONDS:-60} cases=${SOAK_CASES:-256} kills=${SOAK_KILLS:-40}
parts=${SOAK_PARTS:-fuzz cases kills}
failed=()

step() { printf '\n== %s\n' "$*"; }
part() { [[ " $parts " == *" $1 "* ]]; }

if part fuzz; then
  step "fuzz: $seconds s a target"
  cargo build --profile fuzz --workspace --locked --quiet --bin locard-soak
  SOAK_SECONDS=$seconds "${CARGO_TARGET_DIR:-target}/fuzz/locard-soak" || failed+=(fuzz)
fi
if part cases || part kills; then
  cargo build --workspace --bins --locked --quiet
fi
if part cases; then
  step "random tests: $cases cases"
  PROPTEST_CASES=$cases cargo nextest run --profile soak --workspace --locked --no-fail-fast \
    -E 'test(round_trip) + test(split::tests) + test(split::message::tests) + test(pushdown) + test(dsl) + test(never_fails)' || failed+=(cases)
fi
if part kills; then
  step "kill -9: $kills times"
  LOCARD_KILLS=$kills cargo nextest run --profile soak --workspace --locked --test e2e -E 'test(kill)' || failed+=(kills)
fi

if [ ${#failed[@]} -gt 0 ]; then
  printf '\nsoak: found something in: %s\n' "${failed[*]}" >&2
  exit 1
fi
