// Chapter 7 on a network of the reader's own.
#pragma once

#include <vector>

#include "gradus/book/chapter.h"

namespace gradus::book {

std::vector<OwnClaim> own_overfitting(const Setting& setting);

}  // namespace gradus::book
