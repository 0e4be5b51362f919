#include "fuzz/memory_file.h"
#include "gradus/base/error.h"
#include "gradus/data/table/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const gradus::fuzz::MemoryFile file(data, size);
  for (const bool header : {true, false}) {
    try {
      const gradus::data::Table table = gradus::data::read_csv(file.path(), {.header = header, .most_categories = 4});
      for (const gradus::data::Column& column : table.columns) {
        if (column.size() != table.rows()) std::abort();
        for (std::int64_t row = 0; row < column.size(); ++row) (void)column.text(row);
      }
    } catch (const gradus::Error&) {
    }
  }
  return 0;
}
