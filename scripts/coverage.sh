#!/usr/bin/env bash
# Line coverage of gradus/ by the tests: builds build/coverage, runs everything through ctest, prints a table by folder, and
# fails below the budget.   coverage.sh [MINIMUM_PERCENT]      (default: 85)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$GRADUS_ROOT"
minimum="${1:-85}"
install_packages build test ci
build_preset coverage
find build/coverage -name '*.gcda' -delete
run_tests coverage -E '^outside\.'
gcovr --root . --filter 'gradus/' --exclude '.*_test\.(cpp|h)' --object-directory build/coverage --json-summary build/coverage/summary.json \
  --exclude-unreachable-branches --exclude-throw-branches -j "$(nproc)" --txt build/coverage/coverage.txt >/dev/null
awk '$1 ~ /^gradus\// && NF >= 4 { split($1, part, "/"); lines[part[2]] += $2; hit[part[2]] += $3; all += $2; good += $3 }
     END { for (folder in lines) printf "%-12s %6d of %6d lines  %5.1f %%\n", folder, hit[folder], lines[folder], 100 * hit[folder] / lines[folder] | "sort"
           close("sort"); printf "%-12s %6d of %6d lines  %5.1f %%\n", "gradus/", good, all, 100 * good / all }' \
  <(awk '/^gradus\// { if (NF == 1) { getline rest; print $0, rest } else print }' build/coverage/coverage.txt)
percent="$(python3 -c 'import json; print(json.load(open("build/coverage/summary.json"))["line_percent"])' 2>/dev/null ||
  sed -n 's/.*"line_percent": *\([0-9.]*\).*/\1/p' build/coverage/summary.json | tail -1)"
awk -v percent="$percent" -v minimum="$minimum" 'BEGIN { exit percent < minimum }' || die "coverage $percent % is below $minimum %"
