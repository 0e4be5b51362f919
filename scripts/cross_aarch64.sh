#!/usr/bin/env bash
# Builds Gradus for AArch64 on an x86-64 Debian 12 machine, and runs tests of it under qemu. Installs the cross compiler and
# the packages for arm64 (root or sudo), so it is best run in a container.   cross_aarch64.sh [ctest arguments...]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$GRADUS_ROOT"
[[ "$(dpkg --print-foreign-architectures)" == *arm64* ]] || die "first: dpkg --add-architecture arm64 && apt-get update"
install_packages cross
build_preset aarch64
(($# > 0)) || set -- -R "^(base|graph|ops|transform|kernel|engine|nn|optim)\."
run_tests aarch64 "$@"
