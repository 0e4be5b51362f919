#!/usr/bin/env bash
# Writes the API reference to build/docs/api/index.html. A warning of Doxygen is an error.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$GRADUS_ROOT"
command -v doxygen >/dev/null || install_packages ci
mkdir -p build/docs
awk -f tools/elementwise_table.awk gradus/ops/elementwise.def >build/docs/elementwise.md
doxygen docs/Doxyfile
if [[ -s build/docs/warnings.log ]]; then
  cat build/docs/warnings.log >&2
  die "$(grep -c . build/docs/warnings.log) warnings of Doxygen"
fi
echo "docs: $(find build/docs/api -name '*.html' | wc -l) pages in build/docs/api/index.html, no warnings"
