#!/usr/bin/env bash
# Builds the fuzzers of the readers of files into build/fuzz and runs each for some seconds (60 by default), from small valid
# files: scripts/fuzz.sh [SECONDS]. Inputs that were found worth keeping stay in build/fuzz/corpus for the next time, findings
# in build/fuzz/findings. Fails when there is one, or when a fuzzer did not run.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$GRADUS_ROOT"

seconds="${1:-60}"
[[ "$seconds" =~ ^[1-9][0-9]*$ ]] || die "seconds for each fuzzer, a whole number: $seconds"
build=build/fuzz

# seed READER NAME: the standard input as a first input of a reader.
seed() {
  mkdir -p "$build/seeds/$1"
  cat >"$build/seeds/$1/$2"
}

write_seeds() {
  rm -rf "$build/seeds"
  printf 'a,b,c\n1,"x, ""y""",true\n2.5,NA,false\r\n' | seed csv plain
  printf '\xef\xbb\xbfa;b\n"1\n2";3\n' | seed csv lines
  printf 'a\n1\n' | gzip -n | seed csv compressed
  { printf '\1'; head -c 3072 /dev/zero; } | seed cifar ten
  { printf '\1\2'; head -c 3072 /dev/zero; } | seed cifar hundred
  printf '\0\0\10\2\0\0\0\2\0\0\0\2\1\2\3\4' | seed idx bytes
  printf '\0\0\10\1\0\0\0\2\1\2' | gzip -n | seed idx compressed
  base64 -d <<<"iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEklEQVR4nGNg4DwBQhqcq4AIABScA1ljqXT0AAAAAElFTkSuQmCC" |
    seed png colour
  base64 -d <<<"/9j/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/wAALCAACAAIBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABf/EABsQAAAHAQAAAAAAAAAAAAAAAAABAwQFNXSy/9oACAEBAAA/AGIemY50+SH/2Q==" |
    seed jpeg grey
  base64 -d <<<"/9j/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAARCAACAAIDASIAAhEBAxEB/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABYQAQEBAAAAAAAAAAAAAAAAAAABMf/EABQBAQAAAAAAAAAAAAAAAAAAAAb/xAAZEQACAwEAAAAAAAAAAAAAAAAAAQIDM3H/2gAMAwEAAhEDEQA/AEwAeYkpyjxH/9k=" |
    seed jpeg colour
  base64 -d <<<"/9j/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/wgALCAACAAIBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABP/aAAgBAQAAAAFn/8QAFRABAQAAAAAAAAAAAAAAAAAAAzP/2gAIAQEAAQUCGP8A/8QAFxAAAwEAAAAAAAAAAAAAAAAAAAECcv/aAAgBAQAGPwKMo//EABYQAAMAAAAAAAAAAAAAAAAAAABR8P/aAAgBAQABPyGIj//aAAgBAQAAABB//8QAFhAAAwAAAAAAAAAAAAAAAAAAAFHw/9oACAEBAAE/EJCH/9k=" |
    seed jpeg progressive
  tar --format=ustar --transform='s,^,set/,' -cf - fuzz/memory_file.h | seed tar ustar
  tar --format=gnu --transform="s,.*,$(printf 'n%.0s' {1..120})," -czf - LICENSE | seed tar long
  tar --format=pax --transform="s,.*,$(printf 'p%.0s' {1..120})," -cf - fuzz/memory_file.h | seed tar records
  local file
  for file in tests/fixtures/io/*.np[yz]; do seed npy "$(basename "$file")" <"$file"; done
  for file in tests/fixtures/io/*.safetensors; do seed safetensors "$(basename "$file")" <"$file"; done
  for file in recipes/*.toml; do seed recipe "$(basename "$file")" <"$file"; done
}

# fuzz READER: one line about its run.
fuzz() {
  local reader="$1" log="$build/findings/$1.log" runs
  mkdir -p "$build/corpus/$reader"
  if "$build/fuzz/${reader}_fuzz" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
    -artifact_prefix="$build/findings/$reader-" "$build/corpus/$reader" "$build/seeds/$reader" >"$log" 2>&1; then
    runs="$(awk '/^stat::number_of_executed_units/ { print $2 }' "$log")"
    printf '%-12s %10s inputs, nothing found\n' "$reader" "${runs:?no run in $log}"
  else
    tail -n 40 "$log" >&2
    printf '%-12s FOUND SOMETHING: see %s\n' "$reader" "$log"
    return 1
  fi
}

say "fuzzers: building into $build"
mkdir -p "$build"
cmake -B "$build" -G Ninja -DCMAKE_CXX_COMPILER=clang++-14 -DGRADUS_BUILD_FUZZERS=ON -DGRADUS_SANITIZE=address \
  -DGRADUS_BUILD_TESTS=OFF -DGRADUS_BUILD_EXAMPLES=OFF >"$build/configure.log" 2>&1 || {
  cat "$build/configure.log" >&2
  die "the fuzzers could not be configured"
}
ninja -C "$build" fuzzers
write_seeds
rm -rf "$build/findings"
mkdir -p "$build/findings"
mapfile -t readers < <(find fuzz -name '*_fuzz.cpp' -printf '%f\n' | sed 's/_fuzz\.cpp$//' | sort)

say "fuzzers: ${#readers[@]}, $seconds s each, $(nproc) at a time"
export -f fuzz
export build seconds
printf '%s\n' "${readers[@]}" | xargs -P "$(nproc)" -I{} bash -euo pipefail -c 'fuzz {}' || die "a fuzzer found something"
