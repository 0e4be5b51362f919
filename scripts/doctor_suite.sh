#!/usr/bin/env bash
# Measures the doctor on the held-out part of its fault suite, and writes the table that its reports quote
# (gradus/insight/doctor/suite/measured.json). Run it after a change of a rule, a measure or a case; build again afterwards.
#   scripts/doctor_suite.sh [SEED]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
table=gradus/insight/doctor/suite/measured.json
build/release/bin/gradus doctor --suite --seed "${1:-1}" --threads 1 --json > "$table.new"
mv "$table.new" "$table"
