#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/base/version.h"
#include "gradus/classic/boosting.h"
#include "gradus/classic/svm.h"
#include "gradus/cli/commands.h"
#include "gradus/cli/json.h"
#include "gradus/data/fashion_mnist.h"
#include "gradus/data/fetch/fetch.h"
#include "gradus/kernel/elementwise/simd.h"
#include "gradus/kernel/onednn/version.h"
#include "gradus/train/report/figure.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace gradus::cli {
namespace {

struct Matrix {
  bool bf16 = false;  ///< AVX-512 products of bf16
  bool amx = false;   ///< AMX tiles with bf16, also enabled by the system
};

Matrix matrix_instructions() {
  Matrix found;
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d)) found.bf16 = (a >> 5 & 1) != 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) found.amx = (d >> 22 & 1) != 0 && (d >> 24 & 1) != 0;
  if (__get_cpuid(1, &a, &b, &c, &d) && (c >> 27 & 1) != 0) {  // XGETBV: does the system save the tiles?
    unsigned low = 0, high = 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    found.amx = found.amx && (low >> 17 & 3) == 3;
  } else {
    found.amx = false;
  }
#endif
  return found;
}

std::string compiler() {
#if defined(__clang__)
  return fmt::format("Clang {}", __clang_version__);
#else
  return fmt::format("GCC {}", __VERSION__);
#endif
}

std::string data_set() {
  try {
    return fmt::format("installed, {} test images", data::fashion_mnist(data::Split::test).size());
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

int doctor(const DoctorCommand& command) {
  if (command.suite) return doctor_suite(command);
  if (!command.run.empty()) return doctor_run(command);
  const Matrix matrix = matrix_instructions();
#ifdef NDEBUG
  const char* build = "release";
#else
  const char* build = "debug";
#endif
  nlohmann::ordered_json facts = {{"version", version},
                                  {"compiler", compiler()},
                                  {"build", build},
                                  {"onednn", kernel::onednn_version()},
                                  {"simd", kernel::simd_target()},
                                  {"simd_targets", kernel::simd_targets()},
                                  {"avx512_bf16", matrix.bf16},
                                  {"amx_bf16", matrix.amx},
                                  {"threads", num_threads()},
                                  {"optional_parts", nlohmann::ordered_json::array()}};
  if (const std::string library = data::fetch_library(); !library.empty()) facts["optional_parts"].push_back(library);
  for (const std::string& library : classic::svm_libraries()) facts["optional_parts"].push_back(library);
  if (const std::string library = classic::boosting_library(); !library.empty())
    facts["optional_parts"].push_back(library);
  const std::string charts = train::chart_library();
  facts["charts"] = charts.empty()
                        ? "still pictures: built without D3 (packages node-d3-axis, -scale, -selection, -shape)"
                        : "interactive, by " + charts;
  if (!command.build) facts["fashion_mnist"] = data_set();
  if (command.json) {
    fmt::print("{}\n", text_of(facts));
    return exit_ok;
  }
  for (const auto& [name, value] : facts.items()) {
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (value.is_boolean()) text = value.get<bool>() ? "yes" : "no";
    if (value.is_array()) {
      text.clear();
      for (const auto& item : value) text += (text.empty() ? "" : ", ") + item.get<std::string>();
      if (text.empty()) text = "none";
    }
    fmt::print("{:<16} {}\n", name, text);
  }
  return exit_ok;
}

}  // namespace gradus::cli
