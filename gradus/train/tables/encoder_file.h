// The encoder of a run's table, as a file beside its recipe: what is predicted later is encoded as the training rows were,
// whatever has become of the training file.
#pragma once

#include <string>

#include "gradus/data/table/encoder.h"

namespace gradus::train {

/// The content of the file, JSON. Throws Error(format) when a name or a category is not UTF-8.
std::string encoder_text(const data::TableEncoder& encoder);

/// Reads it back. Throws Error(io), or Error(format) when the file does not hold an encoder.
data::TableEncoder load_encoder_file(const std::string& path);

/// A CSV file of rows to predict, with the columns that the encoder reads: the target and columns that were left out in training
/// may be there or not. Throws Error(value) that lists all columns that are missing, and all that were not there in
/// training, with the nearest names; and as data::read_csv.
data::Table read_rows(const std::string& path, const data::TableEncoder& encoder, char delimiter = ',');

}  // namespace gradus::train
