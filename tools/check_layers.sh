#!/usr/bin/env bash
# Reads every #include line of gradus/ and refuses what the house does not allow:
#   - a folder that includes a folder which is not behind USES in its gradus_layer() line of CMakeLists.txt
#   - a USES list that names a folder declared later (that is how circles between folders begin)
#   - a third-party header in a folder that does not link its library in cmake/GradusLibrary.cmake
#   - oneDNN outside gradus/kernel/onednn/, libcurl outside gradus/data/fetch/
#   - anything but Gradus and the standard library in a header that gradus/gradus.h reaches
# Tests (*_test.cpp) may include what they like.   check_layers.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"

find gradus -type f \( -name '*.h' -o -name '*.def' -o -name '*.cpp' \) ! -name '*_test.cpp' | LC_ALL=C sort |
  xargs awk '
function refuse(where, what) { print where ": " what; ++refused }

# One gradus_layer(NAME USES a b c) line: who may include whom.
function declare(line,   words, count, i, name) {
  gsub(/^gradus_layer\(|\).*$/, "", line)
  count = split(line, words, " ")
  name = words[1]
  allowed[name, name] = 1
  for (i = 3; i <= count; ++i) {
    if (!(words[i] in declared)) refuse("CMakeLists.txt", name " uses " words[i] ", which is not declared before it")
    allowed[name, words[i]] = 1
  }
  declared[name] = 1
}

# Which linked library a third-party header belongs to; "" for the standard library, the system and fmt.
function library_of(header) {
  if (header ~ /^(oneapi\/dnnl\/)?dnnl/) return "OneDNN"
  if (header ~ /^hwy\//) return "hwy"
  if (header ~ /^lapacke/) return "LAPACKE"
  if (header ~ /^nlohmann\//) return "nlohmann_json"
  if (header ~ /^toml\+\+\//) return "tomlplusplus"
  if (header ~ /^CLI\//) return "CLI11"
  if (header ~ /^cmark/) return "cmark"
  if (header ~ /^zlib\.h$/) return "ZLIB"
  if (header ~ /^png/) return "PNG"
  if (header ~ /^(jpeglib|jerror)\.h$/) return "JPEG"
  if (header ~ /^curl\//) return "CURL"
  if (header ~ /^libsvm\//) return "LIBSVM"
  if (header ~ /^linear\.h$/) return "LIBLINEAR"
  if (header ~ /^xgboost\//) return "XGBOOST"
  return ""
}

function check_own(where, layer, header,   parts) {
  if (split(header, parts, "/") < 3) {
    if (layer != "") refuse(where, "a folder must not include " header)
    return
  }
  if (layer != "" && !((layer, parts[2]) in allowed)) refuse(where, layer " must not include " header)
}

function check_foreign(where, file, layer, header,   library) {
  library = library_of(header)
  if (library == "") return
  if (!((layer, library) in linked)) refuse(where, layer " must not include " header)
  if (library == "OneDNN" && file !~ /^gradus\/kernel\/onednn\//) {
    refuse(where, "only gradus/kernel/onednn/ includes " header)
  }
  if (library == "CURL" && file !~ /^gradus\/data\/fetch\//) {
    refuse(where, "only gradus/data/fetch/ includes " header)
  }
}

BEGIN {
  while ((getline line < "CMakeLists.txt") > 0) if (line ~ /^gradus_layer\(/) declare(line)
  while ((getline line < "cmake/GradusLibrary.cmake") > 0) {
    while (match(line, /"[a-z_]+\|[A-Za-z0-9_]+::/)) {
      split(substr(line, RSTART + 1, RLENGTH - 3), pair, "|")
      linked[pair[1], pair[2]] = 1
      line = substr(line, RSTART + RLENGTH)
    }
  }
}

FNR == 1 { ++files; known[FILENAME] = 1 }

/^[ \t]*#[ \t]*include[ \t]*["<]/ {
  ++includes
  header = $0
  sub(/^[^"<]*["<]/, "", header)
  sub(/[">].*$/, "", header)
  layer = split(FILENAME, path, "/") > 2 ? path[2] : ""
  where = FILENAME ":" FNR
  if (layer != "" && !(layer in declared)) refuse(where, "folder gradus/" layer " has no gradus_layer() line")
  if (header ~ /^gradus\//) {
    check_own(where, layer, header)
    reached_from[FILENAME] = reached_from[FILENAME] " " header
  } else if ($0 ~ /include[ \t]*"/ && library_of(header) == "") {
    refuse(where, "write own headers as \"gradus/...\" and others as <...>: " header)
  } else {
    check_foreign(where, FILENAME, layer, header)
    if (header ~ /[.\/]/) foreign[FILENAME] = foreign[FILENAME] " " where "|" header
  }
}

END {
  count = 1
  queue[1] = "gradus/gradus.h"
  seen[queue[1]] = 1
  for (i = 1; i <= count; ++i) {
    n = split(foreign[queue[i]], items, " ")
    for (k = 1; k <= n; ++k) {
      split(items[k], item, "|")
      refuse(item[1], "a public header must not include <" item[2] ">")
    }
    n = split(reached_from[queue[i]], items, " ")
    for (k = 1; k <= n; ++k) {
      if (!(items[k] in seen)) {
        seen[items[k]] = 1
        queue[++count] = items[k]
      }
    }
  }
  for (header in seen) if (!(header in known)) refuse("gradus/gradus.h", "reaches " header ", which does not exist")
  if (refused > 0) { print refused " refused"; exit 1 }
  print "layers: " includes " includes of " files " files, " count " of them public: all as declared"
}'
