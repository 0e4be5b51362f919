// report.html: what a finished run says about itself, on one page that needs nothing else (no script, no network).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradus/data/dataset.h"
#include "gradus/train/examine.h"
#include "gradus/train/metrics.h"
#include "gradus/train/recipe.h"
#include "gradus/train/record/instruments.h"

namespace gradus::train {

struct ReportInput {
  std::string title;  ///< name of the run
  Recipe recipe;
  std::vector<EpochMetrics> history;  ///< at least one
  std::int64_t best_epoch = 0;        ///< from 1
  std::int64_t parameters = 0;        ///< of the model
  Instruments instruments = {};       ///< with train.record
};

/// The page: verdict against the cheapest baseline, learning curves, what was recorded, confusion matrix, figures by class, calibration, the
/// most confident mistakes (with pictures where the examples are images), and what is needed to repeat the run.
std::string report_html(const ReportInput& input, const data::Dataset& test, const Examination& examination);

/// An example as a PNG picture: u8 as stored, f32 from its smallest to its largest element; "" when it is no image of 1 or
/// 3 channels.
std::string picture_of(const data::Dataset& dataset, std::int64_t row);

}  // namespace gradus::train
