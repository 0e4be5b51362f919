#include "gradus/insight/instruments.h"

#include "gradus/train/run_folder.h"

namespace gradus::insight {

Instruments read_instruments(const std::string& run) {
  return train::read_instruments(train::RunFolder::open(run).instruments_path());
}

}  // namespace gradus::insight
