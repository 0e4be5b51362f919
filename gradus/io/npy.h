// NumPy's files: one array (.npy), or several with names (.npz).
//
//   Tensor x = io::load_npy("x.npy");
//   io::save_npz("set.npz", {{"images", images}, {"labels", labels}});      // numpy.load("set.npz")["images"]
#pragma once

#include <string>

#include "gradus/graph/tensor.h"

namespace gradus::io {

/// Reads an array of format version 1 to 3: little- or big-endian, in C or Fortran order (the result is row-major either way).
/// Types: f4, f8, i4, i8, u1, b1, and V2 as bf16 (what ml_dtypes writes). Others are refused by name, with a type to convert to.
///
/// The file is hostile until checked: throws Error(format) for a header that is not exactly a description of an array, a type
/// that Gradus does not have, a shape beyond what a tensor may have, fewer or more data than the shape says; Error(io) when
/// it cannot be read. No memory is taken for data that the file does not have.
Tensor load_npy(const std::string& path);

/// Writes one array in version 1.0, C order, little-endian; whole or not at all. A tensor that is only recorded is evaluated.
/// bf16 is written as V2: `numpy.load(path).view(ml_dtypes.bfloat16)`. Throws Error(io), Error(value) for an undefined tensor.
void save_npy(const std::string& path, const Tensor& tensor, SourceLocation where = SourceLocation::current());

/// The arrays of an archive, in its order, stored or deflated; names without ".npy". Throws as load_npy, and Error(format) for
/// an archive that is damaged (checksums included), encrypted, holds anything but arrays or a name twice.
NamedTensors load_npz(const std::string& path);

struct NpzOptions {
  bool compressed = false;  ///< deflated, as numpy.savez_compressed
};

/// Writes an archive, as numpy.savez; whole or not at all. Throws as save_npy, and Error(value) for a name that is empty or
/// used twice, holds a zero byte, or begins with "/" or holds "..".
void save_npz(const std::string& path, const NamedTensors& tensors, const NpzOptions& options = {},
              SourceLocation where = SourceLocation::current());

}  // namespace gradus::io
