// From a user's table to a problem that learners can be compared on.
#pragma once

#include <string>
#include <vector>

#include "gradus/cli/commands.h"
#include "gradus/data/table/table.h"
#include "gradus/insight/compare/protocol.h"

namespace gradus::cli {

struct PreparedTable {
  insight::Problem problem;
  std::vector<std::string> classes;  ///< names; empty: numbers are predicted
  std::vector<std::int64_t> counts;  ///< rows of each class
  std::size_t columns = 0;           ///< that are used
  std::vector<std::string> notes;    ///< what was left out or filled in, for the reader
};

/// Reads the file, or a table of the library by name when there is no such file.
data::Table read_compared(const CompareCommand& command);

/// Decides what is to be predicted, leaves out what says nothing (rows without a target, free text, constant columns, row numbers,
/// names), fills gaps, and draws rows when there are too many; `notes` says all of it. Throws Error(value) for a target that is not there or
/// cannot be predicted, a single class, a class with fewer rows than folds, and when no column or too few rows are left.
PreparedTable prepare(const data::Table& table, const CompareCommand& command);

}  // namespace gradus::cli
