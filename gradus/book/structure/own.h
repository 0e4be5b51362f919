// Chapter 2 on a network of the reader's own.
#pragma once

#include <vector>

#include "gradus/book/chapter.h"

namespace gradus::book {

std::vector<OwnClaim> own_structure(const Setting& setting);

}  // namespace gradus::book
