// safetensors: tensors with names, as PyTorch and Hugging Face exchange them.
//
//   io::save("lenet5.safetensors", nn::state_dict(model));
//   nn::load_state_dict(model, io::load("lenet5.safetensors"));
#pragma once

#include <string>

#include "gradus/graph/tensor.h"
#include "gradus/io/safetensors_header.h"

namespace gradus::io {

/// Writes `tensors` to one file, whole or not at all (AtomicFile). Tensors that are only recorded are evaluated first,
/// in one plan. `metadata` goes beside them; {"format": "pt"} is added unless it names another format.
/// Throws Error(io) for what the disk refuses; Error(value) for an undefined tensor, a name used twice or a reserved
/// one.
void save(const std::string& path, const NamedTensors& tensors, const Metadata& metadata = {},
          SourceLocation where = SourceLocation::current());

struct Safetensors {
  NamedTensors tensors;
  Metadata metadata;
};

/// The tensors of a file, in its order. The file is mapped into memory: data that lie on a multiple of 64 bytes are
/// used where they are (so the file must not be overwritten in place while they live), others are copied.
/// A path that ends with ".json" is the index of a sharded set (model.safetensors.index.json): the tensors of all its
/// files, in the order of their names.
/// The file is hostile until checked: throws Error(format) for anything that is not exactly safetensors, a dtype that
/// Gradus does not have (by name), a size, an offset or a name that is not sound; Error(io) when it cannot be read.
NamedTensors load(const std::string& path);
/// The same with the metadata of the file (of an index: those of its "metadata" that are texts).
Safetensors load_with_metadata(const std::string& path);

}  // namespace gradus::io
