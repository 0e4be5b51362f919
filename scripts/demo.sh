#!/usr/bin/env bash
# From nothing to a trained network: installs the packages, builds build/release, and trains LeNet-5 on the 60,000 images of
# Fashion-MNIST. Arguments go to `gradus train`: scripts/demo.sh --set train.epochs=1
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$GRADUS_ROOT/scripts/setup.sh"
build_preset release gradus_command
say "train: gradus train recipes/fashion-lenet5.toml $*"
cd "$GRADUS_ROOT"
exec build/release/bin/gradus train recipes/fashion-lenet5.toml "$@"
