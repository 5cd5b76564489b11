#!/usr/bin/env bash
# What `make test` runs: `lint`, `unit`, or both. Downloads nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_NET_OFFLINE=true

step() { printf '\n== %s\n' "$*"; }

lint() {
  step "format"; cargo fmt --all --check
  step "licences, sources, bans"; cargo deny --log-level error check bans licenses sources
  step "clippy"; cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
  step "docs"; RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
  if command -v npm >/dev/null; then
    step "console"; (cd ui/web && npm run --silent check && npm test --silent)
  fi
}

# A test that lacks something says so and passes: without this nobody would see that it did nothing.
skipped() {
  local said
  said=$(sed -n 's/.*\(SKIPPED: [^<]*\).*/\1/p' target/nextest/default/junit.xml | sort | uniq -c)
  step "skipped: $(awk 'NF {n += $1} END {print n + 0}' <<<"$said")"
  [ -z "$said" ] || echo "$said"
}

unit() {
  # The binaries first: the end-to-end tests start them.
  step "build"; cargo build --workspace --bins --locked --quiet
  step "tests"; cargo nextest run --workspace --locked --no-fail-fast
  skipped
  step "benchmark's own tests"; (cd tests/bench && python3 -W error::ResourceWarning -m unittest --quiet)
  step "doc tests"; cargo test --workspace --doc --locked --quiet
}

case "${1:-all}" in
  lint) lint ;;
  unit) unit ;;
  all) unit; lint ;;
  *) echo "usage: .ci/test.sh [lint|unit]" >&2; exit 2 ;;
esac
