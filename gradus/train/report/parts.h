// Parts of a report that those of classes and of numbers share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradus/train/report/report.h"

namespace gradus::train {

/// Everything before the first part; `examples` of the test.
std::string page_head(const ReportInput& input, std::int64_t examples);
std::string page_end();
/// A figure and what it is.
std::string tile(const std::string& value, const std::string& what);
/// Best epoch, time and parameters.
std::string run_tiles(const ReportInput& input);
/// Loss, accuracy (or R2) and learning rate over the epochs.
std::string curves(const std::vector<EpochMetrics>& history);
/// What is needed to repeat the run.
std::string origin(const ReportInput& input);

}  // namespace gradus::train
