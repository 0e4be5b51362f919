// Chapter 4 on a network of the reader's own.
#pragma once

#include <vector>

#include "gradus/book/chapter.h"

namespace gradus::book {

std::vector<OwnClaim> own_limits(const Setting& setting);

}  // namespace gradus::book
