// The header of a .npy file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "gradus/graph/tensor.h"

namespace gradus::io {

struct NpyHeader {
  TensorSpec spec;
  bool fortran_order = false;
  bool big_endian = false;
  std::size_t data_begin = 0;  ///< bytes before the data
};

/// Reads and checks the header at the start of `file`; `name` stands for the file in messages. Throws Error(format).
NpyHeader read_npy_header(std::span<const std::byte> file, const std::string& name);

/// The header of an array in C order, padded so that the data begin at a multiple of 64 bytes.
std::string npy_header(const TensorSpec& spec);

/// The array in `file`, header and data, as a tensor. Throws Error(format).
Tensor parse_npy(std::span<const std::byte> file, const std::string& name);

}  // namespace gradus::io
