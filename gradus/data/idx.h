// IDX, the format of the MNIST family: a magic number, big-endian sizes, big-endian elements in row-major order.
#pragma once

#include <string>

#include "gradus/graph/tensor.h"

namespace gradus::data {

/// Reads an IDX file, plain or compressed by gzip. Element types: unsigned byte -> u8, int -> i32, float -> f32,
/// double -> f64; signed byte and short are refused by name. The result has the shape of the file.
///
///   Tensor images = data::read_idx("train-images-idx3-ubyte.gz");   // u8 [60000, 28, 28]
///
/// Throws Error(io) when the file cannot be read, Error(format) when it is not IDX, is truncated or corrupted, has
/// bytes behind its data, or claims more data than its length can hold (found out before any memory is taken).
Tensor read_idx(const std::string& path);

/// Writes an evaluated u8, i32, f32 or f64 tensor of rank >= 1; compressed by gzip when `path` ends with ".gz".
/// Throws Error(io), and Error(dtype) or Error(shape) for what IDX cannot hold.
void write_idx(const std::string& path, const Tensor& tensor);

}  // namespace gradus::data
