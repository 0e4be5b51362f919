// One description per operation: from it come the gradient check, the check of the gradient of the gradient, and the
// comparison of every kernel with the reference. An operation without a case fails OpCases.EveryOperationHasACase.
#pragma once

#include "cases/contraction.h"
#include "cases/elementwise.h"
#include "cases/random.h"
#include "cases/redirect.h"
#include "cases/reduce.h"
#include "cases/sequence.h"
#include "cases/view_index.h"

namespace gradus::testing {

inline std::vector<OpCase> op_cases() {
  std::vector<OpCase> cases;
  add_elementwise_cases(cases);
  add_view_and_index_cases(cases);
  add_reduction_cases(cases);
  add_contraction_cases(cases);
  add_random_cases(cases);
  add_sequence_cases(cases);
  add_redirect_cases(cases);
  return cases;
}

}  // namespace gradus::testing
