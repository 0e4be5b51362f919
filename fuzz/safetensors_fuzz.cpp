#include "fuzz/memory_file.h"
#include "gradus/base/error.h"
#include "gradus/io/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const gradus::fuzz::MemoryFile file(data, size);
  try {
    for (const auto& [name, tensor] : gradus::io::load(file.path())) {
      gradus::fuzz::touch(tensor.buffer()->data(), tensor.spec().bytes());
    }
  } catch (const gradus::Error&) {
  }
  return 0;
}
