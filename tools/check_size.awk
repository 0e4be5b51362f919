# The measuring half of check_size.sh. Functions are found by their braces: a block whose heading has a parenthesis, and
# which stands in nothing but namespaces and classes. Text in strings, raw strings and comments does not count.

function refuse(where, what) { print where ": " what; ++refused }

# The line without strings and comments; what is left open at its end is remembered in `within`.
function code_of(line,   out, at, two) {
  out = ""
  while (line != "") {
    if (within != "") {
      at = index(line, within)
      if (at == 0) return out
      line = substr(line, at + length(within))
      within = ""
      continue
    }
    if (!match(line, /\/\/|\/\*|"|'/)) return out line
    two = substr(line, RSTART, 2)
    if (two == "//") return out substr(line, 1, RSTART - 1)
    out = out substr(line, 1, RSTART - 1)
    line = substr(line, RSTART)
    if (two == "/*") {
      within = "*/"
      line = substr(line, 3)
    } else if (out ~ /R$/ && match(line, /^"[^(" ]*\(/)) {
      within = ")" substr(line, 2, RLENGTH - 2) "\""
      line = substr(line, RLENGTH + 1)
    } else if (match(line, /^"([^"\\]|\\.)*"/) || match(line, /^'([^'\\]|\\.)+'/)) {
      line = substr(line, RLENGTH + 1)  # a whole string or character
    } else {
      line = substr(line, 2)  # a digit separator
    }
  }
  return out
}

function kind_of(heading) {
  if (heading ~ /(^|[^A-Za-z0-9_])(namespace|class|struct|union|enum|extern)([^A-Za-z0-9_]|$)/ && heading !~ /\)[^)>]*$/) {
    return "scope"
  }
  return heading ~ /\(/ && heading !~ /=[ \t]*$/ ? "function" : "block"
}

function open_brace(   i) {
  kind[++depth] = kind_of(heading)
  for (i = 1; i < depth; ++i) if (kind[i] != "scope") kind[depth] = "block"
  start[depth] = heading_line > 0 ? heading_line : FNR
  title[depth] = heading
  heading = ""
  heading_line = 0
}

function close_brace(   length_of, name) {
  if (depth == 0) return
  if (kind[depth] == "function") {
    ++functions
    length_of = FNR - start[depth] + 1
    name = title[depth]
    sub(/\(.*$/, "", name)
    sub(/^.*[ \t*&]/, "", name)
    if (length_of > function_limit) {
      refuse(FILENAME ":" start[depth], name " has " length_of " lines, the budget is " function_limit)
    }
  }
  --depth
  heading = ""
  heading_line = 0
}

function measure_functions(line,   at, symbol) {
  if (continued || line ~ /^[ \t]*#/) {
    continued = line ~ /\\$/  # a macro goes on as long as its lines end so
    return
  }
  while (match(line, /[{};]/)) {
    symbol = substr(line, RSTART, 1)
    at = RSTART
    extend_heading(substr(line, 1, at - 1))
    line = substr(line, at + 1)
    if (symbol == "{") open_brace()
    else if (symbol == "}") close_brace()
    else { heading = ""; heading_line = 0 }
  }
  extend_heading(line)
}

function extend_heading(text) {
  if (text !~ /[^ \t]/) return
  if (heading_line == 0) heading_line = FNR
  heading = heading " " text
}

function finish_file() {
  if (file != "" && lines > file_limit) refuse(file, lines " lines, the budget is " file_limit)
}

FNR == 1 {
  finish_file()
  file = FILENAME
  ++files
  depth = 0
  heading = within = ""
  heading_line = 0
  folder = module = FILENAME
  sub(/\/[^\/]*$/, "", folder)
  sub(/(_test)?\.[a-z]+$/, "", module)
  if (!(module in modules)) {
    modules[module] = 1
    ++modules_of[folder]
  }
}

{
  lines = FNR
  measure_functions(code_of($0))
}

END {
  finish_file()
  for (folder in modules_of) {
    if (modules_of[folder] > folder_limit) {
      refuse(folder, modules_of[folder] " modules, the budget is " folder_limit)
    }
  }
  if (refused > 0) { print refused " over budget"; exit 1 }
  print "sizes: " files " files, " functions " functions: all within budget"
}
