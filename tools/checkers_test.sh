#!/usr/bin/env bash
# Shows that the checkers refuse what they must: each case is a small tree with one fault.
set -euo pipefail
tools="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
tree="$(mktemp -d)"
trap 'rm -rf "$tree"' EXIT
cases=0

# A small house without faults, to be spoilt by each case.
fresh() {
  rm -rf "${tree:?}"/*
  mkdir -p "$tree"/{cmake,gradus/{base,ops,kernel/onednn,io}}
  printf '%s\n' 'gradus_layer(base USES)' 'gradus_layer(ops USES base)' 'gradus_layer(kernel USES base ops)' \
    'gradus_layer(io USES base)' >"$tree/CMakeLists.txt"
  echo 'foreach(pair "kernel|OneDNN::dnnl" "io|ZLIB::ZLIB")' >"$tree/cmake/GradusLibrary.cmake"
  echo '#include <vector>' >"$tree/gradus/base/shape.h"
  echo '#include "gradus/base/shape.h"' >"$tree/gradus/ops/view.h"
  echo '#include <dnnl.hpp>' >"$tree/gradus/kernel/onednn/matmul.cpp"
  echo '#include <zlib.h>' >"$tree/gradus/io/gzip.cpp"
  echo '#include "gradus/ops/view.h"' >"$tree/gradus/gradus.h"
}

fail() {
  printf 'FAILED: %s\n%s\n' "$1" "$2"
  exit 1
}

accepts() {
  local output
  output="$("$tools/$1" "$tree")" || fail "$1 refuses $2" "$output"
  cases=$((cases + 1))
}

# refuses CHECKER WORDS_OF_THE_MESSAGE
refuses() {
  local output
  if output="$("$tools/$1" "$tree")"; then fail "$1 accepts, expected: $2" "$output"; fi
  grep -qF -- "$2" <<<"$output" || fail "$1 should say: $2" "$output"
  cases=$((cases + 1))
}

write() { cat >"$tree/$1"; }
lines() { for ((i = 0; i < $1; ++i)); do echo "$2"; done; }

fresh
accepts check_layers.sh "a house without faults"
write gradus/base/shape.cpp <<<'#include "gradus/ops/view.h"'
refuses check_layers.sh 'gradus/base/shape.cpp:1: base must not include gradus/ops/view.h'

fresh
write gradus/base/shape_test.cpp <<<'#include "gradus/ops/view.h"'
accepts check_layers.sh "a test that includes another folder"

fresh
sed -i 's/gradus_layer(base USES)/gradus_layer(base USES ops)/' "$tree/CMakeLists.txt"
refuses check_layers.sh 'base uses ops, which is not declared before it'

fresh
mkdir "$tree/gradus/attic"
write gradus/attic/old.h <<<'#include <vector>'
refuses check_layers.sh 'folder gradus/attic has no gradus_layer() line'

fresh
write gradus/kernel/plain.cpp <<<'#include <dnnl.hpp>'
refuses check_layers.sh 'only gradus/kernel/onednn/ includes dnnl.hpp'

fresh
mkdir -p "$tree"/gradus/data/fetch
sed -i '$a gradus_layer(data USES base)' "$tree/CMakeLists.txt"
echo 'list(APPEND optional "data|CURL::libcurl")' >>"$tree/cmake/GradusLibrary.cmake"
write gradus/data/fetch/http.cpp <<<'#include <curl/curl.h>'
accepts check_layers.sh "libcurl in its own folder"
write gradus/data/file.cpp <<<'#include <curl/curl.h>'
refuses check_layers.sh 'only gradus/data/fetch/ includes curl/curl.h'

fresh
write gradus/ops/view.cpp <<<'#include <zlib.h>'
refuses check_layers.sh 'ops must not include zlib.h'

fresh
write gradus/base/shape.h <<<'#include <fmt/core.h>'
refuses check_layers.sh 'gradus/base/shape.h:1: a public header must not include <fmt/core.h>'

fresh
write gradus/ops/view.cpp <<<'#include "view.h"'
refuses check_layers.sh 'write own headers as "gradus/..."'

fresh
write gradus/ops/view.cpp <<<'#include "gradus/gradus.h"'
refuses check_layers.sh 'a folder must not include gradus/gradus.h'

fresh
accepts check_size.sh "a house without faults"
lines 500 '// text' | write gradus/ops/view.h
accepts check_size.sh "a file of 500 lines"
lines 501 '// text' | write gradus/ops/view.h
refuses check_size.sh 'gradus/ops/view.h: 501 lines, the budget is 500'

function_of() { # the lines of a function, in a class in a namespace, with braces in strings and comments
  echo 'namespace a {'
  echo 'struct B {'
  echo '  int run(int x = 1) const {'
  lines $(($1 - 4)) '    if (x) { puts("}"); }  // }'
  echo '    auto text = R"(} } })";'
  echo '    return 0;'
  echo '  }'
  echo '};'
  echo '}  // namespace a'
}
fresh
function_of 60 | write gradus/ops/view.h
accepts check_size.sh "a function of 60 lines"
function_of 61 | write gradus/ops/view.h
refuses check_size.sh 'gradus/ops/view.h:3: run has 61 lines, the budget is 60'

fresh
{ echo 'constexpr int table[] = {'; lines 100 '    1,'; echo '};'; } | write gradus/ops/view.h
accepts check_size.sh "a table of 100 lines"

fresh
for ((i = 0; i < 20; ++i)); do
  for end in .h .cpp _test.cpp; do write "gradus/io/m$i$end" <<<'// text'; done
done
refuses check_size.sh 'gradus/io: 21 modules, the budget is 20'
rm "$tree/gradus/io/gzip.cpp"
accepts check_size.sh "a folder of 20 modules"

echo "checkers: $cases cases as expected"
