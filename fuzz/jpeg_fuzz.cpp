#include "fuzz/memory_file.h"
#include "gradus/base/error.h"
#include "gradus/data/read/jpeg.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const gradus::fuzz::MemoryFile file(data, size);
  for (const int channels : {0, 1, 3}) {
    try {
      const gradus::Tensor image = gradus::data::read_jpeg(file.path(), {.channels = channels});
      gradus::fuzz::touch(image.buffer()->data(), image.spec().bytes());
    } catch (const gradus::Error&) {
    }
  }
  return 0;
}
