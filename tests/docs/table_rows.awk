# docs/from-pytorch.md -> a program in which the second column of each row of its tables is compiled and run. The page's
# first ```cpp block, "given", declares what the rows name. In a cell, `\|` stands for |. A row is an expression, or
# statements when it ends with a semicolon.
/^```cpp given/ { given = 1; next }
/^```/ { given = 0; next }
given { prelude = prelude "  " $0 "\n"; next }
/^\| *`/ {
  line = $0
  gsub(/\\\|/, "\001", line)
  n = split(line, cell, "|")
  count = 0
  rest = cell[3]
  code = ""
  while (match(rest, /`[^`]+`/)) {
    code = code (code == "" ? "" : " ") substr(rest, RSTART + 1, RLENGTH - 2)
    rest = substr(rest, RSTART + RLENGTH)
  }
  gsub(/\001/, "|", code)
  if (code == "") { print "#error docs/from-pytorch.md:" NR ": no code in the second column"; next }
  if (code ~ /;$/) body = "{ " code " }"
  else body = "{ [[maybe_unused]] const auto row = (" code "); }"
  rows = rows "#line " NR " \"docs/from-pytorch.md\"\n  " body "\n"
  total++
}
END {
  print "#include <gradus/gradus.h>\n#include <cstdio>\nusing namespace gradus;\n#pragma GCC diagnostic ignored \"-Wshadow\""
  print "#pragma GCC diagnostic ignored \"-Wunused-variable\"\n#pragma GCC diagnostic ignored \"-Wunused-value\""
  print "int main() {\n" prelude rows "  std::printf(\"" total " rows\\n\");\n  return " (total > 0 ? 0 : 1) ";\n}"
}
