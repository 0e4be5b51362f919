#!/usr/bin/env bash
# Measures Gradus and its peers on the workloads of bench/, in turn, and says how they compare: medians, ranges, ratios, memory,
# start-up, the share of what this machine can do at most. Fails when they do not compute the same.
#
#   bench.sh                                             everything, 2 threads
#   bench.sh --workloads mlp,lenet --dtype f32 --threads 1,2 --peers torch,torch-compile,torch-tuned
#   bench.sh --json FILE                                 every figure of every run
#   bench.sh --docs docs/performance.md                  put the tables into the document
#   bench.sh --from FILE --docs docs/performance.md      the same from the figures of an earlier run
#   bench.sh --peers none                                Gradus alone
#   bench.sh --scaling [--docs docs/performance.md] [--json FILE]   how the cost of a step grows: curves, Gradus alone
#
# Peers live in a virtual environment with torch 2.13 for the CPU, which this script makes in ${XDG_CACHE_HOME:-~/.cache}/gradus
# (200 MB to download); GRADUS_BENCH_PYTHON names an interpreter that has torch already. Without, Gradus is measured alone.
# Stop other work meanwhile: the last column says how many cores others used.
set -euo pipefail
shopt -s inherit_errexit
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

peers=torch,torch-compile
arguments=()
needs_peers=1
scaling=0
while (($# > 0)); do
  case "$1" in
    --peers)
      (($# > 1)) || die "--peers needs a list, or none"
      peers="$2"
      shift
      ;;
    --scaling) scaling=1 ;;
    --from) needs_peers=0; arguments+=("$1") ;;
    -h | --help) sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) arguments+=("$1") ;;
  esac
  shift
done
[[ "$peers" != none ]] || needs_peers=0

has_torch() { "$1" -c 'import torch, numpy' 2>/dev/null; }

# python_with_torch: prints an interpreter that has torch, making one if need be; fails with the reason on stderr.
python_with_torch() {
  local folder="${XDG_CACHE_HOME:-$HOME/.cache}/gradus/bench-venv"
  if [[ -n "${GRADUS_BENCH_PYTHON:-}" ]]; then
    has_torch "$GRADUS_BENCH_PYTHON" || { echo "$GRADUS_BENCH_PYTHON has no torch" >&2; return 1; }
    echo "$GRADUS_BENCH_PYTHON"
    return
  fi
  if [[ ! -x "$folder/bin/python" ]] || ! has_torch "$folder/bin/python"; then
    say "bench: making $folder" >&2
    rm -rf "$folder"
    python3 -m venv "$folder" >&2 || return 1
    "$folder/bin/pip" install --quiet --retries 1 --extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0+cpu numpy >&2 || return 1
  fi
  echo "$folder/bin/python"
}

if ((scaling)); then
  build_preset release gradus_bench_scaling
  exec "$GRADUS_ROOT/build/release/bench/gradus_bench_scaling" "${arguments[@]}"
fi
build_preset release gradus_bench gradus_bench_limits gradus_bench_runner
programs="$GRADUS_ROOT/build/release/bench"
if ((needs_peers)); then
  if python="$(python_with_torch)"; then
    arguments+=(--peers "$peers" --python "$python" --torch-bench "$GRADUS_ROOT/bench/peers/torch_bench.py")
  else
    say "bench: no Python with torch here: Gradus is measured alone"
  fi
fi
exec "$programs/gradus_bench_runner" --programs "$programs" "${arguments[@]}"
