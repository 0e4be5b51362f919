#include "gradus/train/recipe.h"

#include <cstddef>
#include <cstdlib>

#include "gradus/base/error.h"

// What is read must read back the same from the text that is written of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gradus::train::Recipe recipe;
  try {
    recipe = gradus::train::parse_recipe({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
  } catch (const gradus::Error&) {
    return 0;
  }
  if (gradus::train::parse_recipe(gradus::train::recipe_text(recipe), "again.toml") != recipe) std::abort();
  return 0;
}
