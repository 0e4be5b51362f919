#!/usr/bin/env bash
# The budget of the house: a file up to 500 lines, a function up to 60, a folder up to 20 modules (a module is its header,
# source and test). Prints what outgrew it. Outgrowing is a sign to split by meaning.   check_size.sh [ROOT]
set -euo pipefail
tools="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cd "${1:-$tools/..}"

folders=()
for folder in gradus examples tests tools bench; do
  [[ -d "$folder" ]] && folders+=("$folder")
done
find "${folders[@]}" -type f \( -name '*.h' -o -name '*.cpp' -o -name '*.def' \) | LC_ALL=C sort |
  xargs awk -v file_limit=500 -v function_limit=60 -v folder_limit=20 -f "$tools/check_size.awk"
