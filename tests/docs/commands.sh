#!/usr/bin/env bash
# Runs the `gradus ...` lines of a document in order, as a reader would, in an empty folder with the recipes.
# Usage: commands.sh SOURCE_DIR BIN_DIR DOCUMENT
set -euo pipefail
source_dir="$1"
PATH="$2:$PATH"
document="$3"
commands="$(awk '/^```bash/ { inside = 1; next } /^```/ { inside = 0 } inside && /^gradus /' "$document")"
if [[ "$commands" == *fashion* && ! -e /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz ]]; then
  echo "skipped: the package dataset-fashion-mnist is not installed"
  exit 77
fi
[[ -n "$commands" ]] || { echo "no commands in $document"; exit 1; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp -r "$source_dir/recipes" "$work/"
cd "$work"
while IFS= read -r line; do
  echo "\$ $line"
  eval "$line"
done <<<"$commands"
