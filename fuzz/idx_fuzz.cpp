#include "fuzz/memory_file.h"
#include "gradus/base/error.h"
#include "gradus/data/idx.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const gradus::fuzz::MemoryFile file(data, size);
  try {
    const gradus::Tensor tensor = gradus::data::read_idx(file.path());
    gradus::fuzz::touch(tensor.buffer()->data(), tensor.spec().bytes());
  } catch (const gradus::Error&) {
  }
  return 0;
}
