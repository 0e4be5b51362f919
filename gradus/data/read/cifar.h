// CIFAR-10 and CIFAR-100 in their binary version: 50,000 + 10,000 colour images, 32 x 32 (Krizhevsky, 2009).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradus/data/dataset.h"

namespace gradus::data {

/// Which labels stand before an image: one byte (CIFAR-10), or coarse and fine (CIFAR-100).
enum class CifarLabels { ten, coarse, fine };

struct CifarImages {
  Tensor images;  ///< u8 [N, 3, 32, 32]
  Tensor labels;  ///< i64 [N]
};

/// One file of records. Throws Error(io); Error(format) for a length that is no multiple of a record, no record at all, or
/// a label out of range (with the record).
CifarImages read_cifar(const std::string& path, CifarLabels labels);

/// `folder` holds data_batch_1.bin to data_batch_5.bin and test_batch.bin; names of classes come from batches.meta.txt where
/// it is there. When empty: where fetch_source brings it ($GRADUS_DATA_DIR or ~/.cache/gradus). Batches are f32 [B, 3, 32, 32] in 0 to 1, then
/// (x - mean) / std. Throws Error(io) that says where to get it when it is not there, and as read_cifar.
Dataset cifar10(Split split, const std::string& folder = {}, std::vector<double> mean = {},
                std::vector<double> std = {});

/// The same with train.bin and test.bin, 100 fine classes, names from fine_label_names.txt; when `folder` is empty:
/// where fetch_source brings it.
Dataset cifar100(Split split, const std::string& folder = {}, std::vector<double> mean = {},
                 std::vector<double> std = {});

}  // namespace gradus::data
