#!/usr/bin/env bash
# Installs the packages, builds build/release with its tests, and runs all of them. Arguments go to ctest: scripts/test.sh -R nn
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$GRADUS_ROOT/scripts/setup.sh" --test
build_preset release
say "test: ctest in build/release"
run_tests release "$@"
