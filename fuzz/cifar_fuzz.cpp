#include "fuzz/memory_file.h"
#include "gradus/base/error.h"
#include "gradus/data/read/cifar.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using gradus::data::CifarLabels;
  const gradus::fuzz::MemoryFile file(data, size);
  for (const CifarLabels labels : {CifarLabels::ten, CifarLabels::coarse, CifarLabels::fine}) {
    try {
      const auto read = gradus::data::read_cifar(file.path(), labels);
      gradus::fuzz::touch(read.images.buffer()->data(), read.images.spec().bytes());
      gradus::fuzz::touch(read.labels.buffer()->data(), read.labels.spec().bytes());
    } catch (const gradus::Error&) {
    }
  }
  return 0;
}
