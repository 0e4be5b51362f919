#include "gradus/io/npy.h"

#include <fmt/format.h>

#include <set>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/io/atomic_file.h"
#include "gradus/io/mapped_file.h"
#include "gradus/io/npy_header.h"
#include "gradus/io/zip.h"

namespace gradus::io {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::span<const std::byte> data_of(const Tensor& tensor) { return {tensor.buffer()->data(), tensor.spec().bytes()}; }

void check_names(const std::string& path, const NamedTensors& tensors, SourceLocation where) {
  std::set<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    const auto refuse = [&](std::string summary) {
      return Error(ErrorKind::value, "save_npz", std::move(summary)).context(path).at(where);
    };
    if (name.empty()) throw refuse("a name is empty");
    if (name.starts_with('/') || name.find("..") != name.npos || name.find('\0') != name.npos) {
      throw refuse(fmt::format("\"{}\" is no name for a file in an archive", name));
    }
    if (name.size() > 60000) throw refuse("a name has more than 60,000 bytes");
    if (!names.insert(name).second) throw refuse(fmt::format("the name \"{}\" is used twice", name));
    if (!tensor.defined()) throw refuse(fmt::format("\"{}\" is no tensor", name));
  }
}

}  // namespace

Tensor load_npy(const std::string& path) {
  const MappedFile file(path, "load_npy");
  return parse_npy(file.bytes(), path);
}

void save_npy(const std::string& path, const Tensor& tensor, SourceLocation where) {
  if (!tensor.defined()) throw Error(ErrorKind::value, "save_npy", "there is no tensor").context(path).at(where);
  eval(std::vector<Tensor>{tensor}, where);
  AtomicFile file(path);
  file.write(npy_header(tensor.spec()));
  file.write(data_of(tensor));
  file.commit();
}

NamedTensors load_npz(const std::string& path) {
  const MappedFile file(path, "load_npz");
  NamedTensors tensors;
  for (const ZipEntry& entry : read_zip(file.bytes(), path)) {
    std::string name = entry.name;
    if (!name.ends_with(".npy") || name.size() == 4) {
      throw Error(ErrorKind::format, "load_npz", fmt::format("\"{}\" in the archive is no array", name)).context(path);
    }
    name.resize(name.size() - 4);
    tensors.emplace_back(name, parse_npy(bytes_of(unzipped(entry, path)), path + ":" + entry.name));
  }
  return tensors;
}

void save_npz(const std::string& path, const NamedTensors& tensors, const NpzOptions& options, SourceLocation where) {
  check_names(path, tensors, where);
  Tensors all;
  for (const auto& [name, tensor] : tensors) all.push_back(tensor);
  eval(all, where);
  AtomicFile file(path);
  ZipWriter archive(file, path);
  for (const auto& [name, tensor] : tensors) {
    const std::string header = npy_header(tensor.spec());
    archive.add(name + ".npy", {bytes_of(header), data_of(tensor)}, options.compressed);
  }
  archive.finish();
  file.commit();
}

}  // namespace gradus::io
