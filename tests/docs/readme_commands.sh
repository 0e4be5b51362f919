#!/usr/bin/env bash
# Runs the `gradus ...` lines of README.md in order, as a reader would. Usage: readme_commands.sh SOURCE_DIR BIN_DIR
set -euo pipefail
source_dir="$1"
PATH="$2:$PATH"
if [[ ! -e /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz ]]; then
  echo "skipped: the package dataset-fashion-mnist is not installed"
  exit 77
fi
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp -r "$source_dir/recipes" "$work/"
cd "$work"
count=0
while IFS= read -r line; do
  echo "\$ $line"
  eval "$line"
  count=$((count + 1))
done < <(awk '/^```bash/ { inside = 1; next } /^```/ { inside = 0 } inside && /^gradus /' "$source_dir/README.md")
((count >= 4))
