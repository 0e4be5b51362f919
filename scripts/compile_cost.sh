#!/usr/bin/env bash
# What Gradus costs its user, against the budgets: time and memory to compile examples/train_lenet5.cpp at -O2 (3 s, 400 MB),
# size of the stripped command with the library inside (15 MB), time of `gradus --help` (20 ms). Each time is the best of
# five. Also names the slowest translation units of the last build. Needs build/release.
set -euo pipefail
shopt -s inherit_errexit
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$GRADUS_ROOT"
gradus=build/release/bin/gradus
[[ -x "$gradus" ]] || die "build/release is not built yet: run scripts/test.sh"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

over=0
# report WHAT VALUE LIMIT UNIT
report() {
  local verdict=ok
  if ! awk -v value="$2" -v limit="$3" 'BEGIN { exit value > limit }'; then
    verdict="OVER BUDGET"
    [[ "$4" == MB ]] && over=1  # times are told and not judged: a busy machine is no defect
  fi
  printf '%-52s %8s %-2s  (budget %s %s)  %s\n' "$1" "$2" "$4" "$3" "$4" "$verdict"
}

# best_of_five COMMAND...: wall seconds and peak megabytes.
best_of_five() {
  local i
  for i in 1 2 3 4 5; do
    command time -f '%e %M' -o "$work/time" "$@" >/dev/null
    cat "$work/time"
  done | awk 'NR == 1 || $1 < seconds { seconds = $1 } $2 > kilobytes { kilobytes = $2 }
              END { printf "%.2f %.0f\n", seconds, kilobytes / 1024 }'
}

milliseconds_of() {
  local i begin end
  for i in 1 2 3 4 5; do
    begin=${EPOCHREALTIME/./}
    "$@" >/dev/null
    end=${EPOCHREALTIME/./}
    echo "$((end - begin))"
  done | sort -n | awk 'NR == 1 { printf "%.1f\n", $1 / 1000 }'
}

cost="$(best_of_five g++ -std=c++20 -O2 -I. -c examples/train_lenet5.cpp -o "$work/train_lenet5.o")"
read -r seconds megabytes <<<"$cost"
report "compile examples/train_lenet5.cpp, -O2: time" "$seconds" 3 s
report "compile examples/train_lenet5.cpp, -O2: memory" "$megabytes" 400 MB

strip -o "$work/gradus" "$gradus"
report "stripped gradus command" "$(stat -c %s "$work/gradus" | awk '{ printf "%.2f", $1 / 1e6 }')" 15 MB
report "gradus --help" "$(milliseconds_of "$gradus" --help)" 20 ms

echo "slowest translation units of the last build (seconds):"
awk '$4 ~ /\.cpp\.o$/ { seconds[$4] = ($2 - $1) / 1000 }
     END { for (unit in seconds) printf "%6.1f  %s\n", seconds[unit], unit }' build/release/.ninja_log |
  sort -rn | sed -n 1,3p  # head would leave sort with a broken pipe
exit "$over"
