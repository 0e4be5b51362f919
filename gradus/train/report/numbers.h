// report.html of a run that predicts numbers.
#pragma once

#include <string>
#include <vector>

#include "gradus/train/report/report.h"

namespace gradus::train {

/// The page: verdict against the cheapest baseline (the mean), learning curves, predictions against the truth, how large the
/// errors are, the largest of them, and what is needed to repeat the run. `predicted`: one number per example of `test`.
std::string report_of_numbers(const ReportInput& input, const data::Dataset& test,
                              const std::vector<double>& predicted);

}  // namespace gradus::train
