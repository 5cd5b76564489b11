#!/usr/bin/env bash
# Builds the console into ui/web/dist when a source is newer than the last build. Without Node the page says how to build it.
set -euo pipefail
cd "$(dirname "$0")/../ui/web"

command -v npm >/dev/null || exit 0
if [ -f dist/index.html ] && [ -z "$(find . -path ./node_modules -prune -o -path ./dist -prune -o -type f -newer dist/index.html -print -quit)" ]; then
  exit 0
fi
npm run --silent build
