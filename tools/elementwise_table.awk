# gradus/ops/elementwise.def -> a page of the API reference: every function that a row declares, with its types and its line.
BEGIN {
  print "# Elementwise operations\n"
  print "One row of `gradus/ops/elementwise.def` each: the function, its gradient and its kernels follow from it. Operands broadcast"
  print "as in NumPy; numbers are taken for tensors.\n"
  print "| function | types | meaning |\n|---|---|---|"
}
match($0, /^(UNARY|BINARY|TERNARY)\(/) {
  arity = $0 ~ /^UNARY/ ? 1 : $0 ~ /^BINARY/ ? 2 : 3
  line = substr($0, RLENGTH + 1)
  while (line !~ /"[^"]*"/ && (getline more) > 0) line = line " " more
  match(line, /"[^"]*"/)
  doc = substr(line, RSTART + 1, RLENGTH - 2)
  gsub(/\|/, "\\|", doc)
  split(substr(line, 1, RSTART - 1), part, / *, */)
  arguments = part[2]
  for (i = 2; i <= arity; i++) arguments = arguments ", " part[1 + i]
  print "| `" part[1] "(" arguments ")` | " part[2 + arity] " | " doc " |"
}
