#!/usr/bin/env bash
# Runs a program of the documentation in a folder of its own, where it may write.   in_empty_folder.sh PROGRAM
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
"$1"
