#!/usr/bin/env bash
# Installs the packages that Gradus needs (Debian 12; root or sudo). With everything there it only looks.
# setup.sh --test adds the browser that the tests look at pages with, setup.sh --ci also what .ci/run needs.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-}" in
  "") groups=(build) ;;
  --test) groups=(build test) ;;
  --ci) groups=(build test ci) ;;
  *) die "usage: setup.sh [--test | --ci]" ;;
esac
command -v dpkg-query >/dev/null ||
  die "this is not a Debian system; install what scripts/packages.txt names with its own package manager"
install_packages "${groups[@]}"
