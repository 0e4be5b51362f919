// Three small data sets that are part of the library: nothing has to be installed or fetched to train on them. Their sources
// and licences (CC BY 4.0) stand in NOTICE beside this file.
#pragma once

#include <string>
#include <vector>

#include "gradus/data/dataset.h"
#include "gradus/data/table/table.h"

namespace gradus::data {

/// 1,797 handwritten digits, grey, 8 x 8, 10 classes (Alpaydin and Kaynak, 1998; UCI). Elements are stored as they are,
/// 0 to 16; batches are f32 [B, 1, 8, 8] in 0 to 1, then (x - mean) / std.
Dataset digits(std::vector<double> mean = {}, std::vector<double> std = {});
/// The training part, 1,438 digits, or the test part, 359: the stratified split by seed 0.
Dataset digits(Split split, std::vector<double> mean = {}, std::vector<double> std = {});

/// 569 breast tumours with 30 measurements of their cell nuclei, "benign" (357) or "malignant" (212) (Wolberg, Street and
/// Mangasarian, 1995; UCI). Batches are f32 [B, 30], (x - mean) / std.
Dataset breast_cancer(std::vector<double> mean = {}, std::vector<double> std = {});
/// The training part, 455 tumours, or the test part, 114: the stratified split by seed 0.
Dataset breast_cancer(Split split, std::vector<double> mean = {}, std::vector<double> std = {});

/// The same as tables, with the names of the columns.
Table digits_table();
Table breast_cancer_table();
/// 1,000 people who asked a bank in Southern Germany for credit (Hofmann, 1994; UCI): 7 numbers and 13 categories of each, and
/// the column "class": "good" (700) or "bad" (300).
Table german_credit_table();

}  // namespace gradus::data
