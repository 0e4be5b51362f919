// Chapter 8 on a network of the reader's own.
#pragma once

#include <vector>

#include "gradus/book/chapter.h"

namespace gradus::book {

std::vector<OwnClaim> own_activations(const Setting& setting);

}  // namespace gradus::book
