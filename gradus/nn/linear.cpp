#include "gradus/nn/linear.h"

#include <cmath>
#include <string>

#include "gradus/base/error.h"
#include "gradus/nn/init.h"
#include "gradus/nn/observe.h"
#include "gradus/ops/matmul.h"

namespace gradus::nn {

Linear::Linear(std::int64_t in_features, std::int64_t out_features, LinearOptions options, SourceLocation where) {
  if (in_features < 1 || out_features < 1) {
    throw Error(ErrorKind::value, "nn::Linear", "sizes must be positive")
        .at(where)
        .field("in_features", std::to_string(in_features))
        .field("out_features", std::to_string(out_features));
  }
  weight = init::kaiming_uniform({out_features, in_features}, {.a = std::sqrt(5.0)});
  if (options.bias) bias = init::bias_uniform({out_features}, in_features);
}

Tensor Linear::operator()(const TensorArg& x) const { return observed(*this, x, linear(x, weight, bias, x.where())); }

}  // namespace gradus::nn
