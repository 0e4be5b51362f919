# Shared by the scripts of this folder and .ci/run: `source` it.
export LC_ALL=C.UTF-8
GRADUS_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

say() { printf '==> %s\n' "$*"; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# packages_of GROUP: the packages of one group of packages.txt.
packages_of() {
  awk -v group="[$1]" '/^#/ || NF == 0 { next } /^\[/ { inside = ($0 == group); next } inside' \
    "$GRADUS_ROOT/scripts/packages.txt"
}

# install_packages GROUP...: installs what is missing, and touches neither network nor root rights when nothing is.
install_packages() {
  local group package missing=() as_root=()
  for group in "$@"; do
    for package in $(packages_of "$group"); do
      [[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] || missing+=("$package")
    done
  done
  if ((${#missing[@]} == 0)); then
    say "packages: all installed"
    return
  fi
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      die "these packages are missing, and installing them needs root or sudo: ${missing[*]}"
    as_root=(sudo)
  fi
  say "packages: installing ${missing[*]}"
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# build_preset PRESET [TARGET...]: configures and builds (all targets by default) with one job per core.
build_preset() {
  local preset="$1"
  shift
  say "build: preset $preset into build/$preset"
  (
    cd "$GRADUS_ROOT"
    mkdir -p "build/$preset"
    cmake --preset "$preset" >"build/$preset/configure.log" 2>&1 || {
      cat "build/$preset/configure.log" >&2
      die "cmake --preset $preset failed"
    }
    cmake --build --preset "$preset" --parallel "$(nproc)" ${1:+--target "$@"}
  )
}

# run_tests PRESET [ctest arguments...]: all tests in parallel. The last line is ctest's own verdict.
run_tests() {
  local preset="$1" log status=0
  shift
  log="$GRADUS_ROOT/build/$preset/ctest.log"
  (cd "$GRADUS_ROOT" && ctest --preset "$preset" --no-tests=error --parallel "$(nproc)" "$@") 2>&1 | tee "$log" || status=$?
  grep -E '^[0-9]+% tests passed' "$log" | tail -1 || true
  return "$status"
}
