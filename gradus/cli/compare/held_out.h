// `gradus compare` on a data set that has a test part of its own: a learning curve.
#pragma once

#include "gradus/cli/commands.h"

namespace gradus::cli {

/// Whether the command is about such a data set: its name, no file of that name, and no column to predict.
bool compares_held_out(const CompareCommand& command);
/// Measures the curve and shows it, as compare() does. Throws Error(usage) for options of tables.
int compare_held_out(const CompareCommand& command);

}  // namespace gradus::cli
