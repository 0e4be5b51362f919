#include "gradus/io/npy.h"

#include "fuzz/memory_file.h"
#include "gradus/base/error.h"

// One array and an archive of arrays: what a file is shows in its first bytes, so both readers share the inputs.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const gradus::fuzz::MemoryFile file(data, size);
  try {
    const gradus::Tensor tensor = gradus::io::load_npy(file.path());
    gradus::fuzz::touch(tensor.buffer()->data(), tensor.spec().bytes());
  } catch (const gradus::Error&) {
  }
  try {
    for (const auto& [name, tensor] : gradus::io::load_npz(file.path())) {
      gradus::fuzz::touch(tensor.buffer()->data(), tensor.spec().bytes());
    }
  } catch (const gradus::Error&) {
  }
  return 0;
}
