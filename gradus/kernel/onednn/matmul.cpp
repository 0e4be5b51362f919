// Matrix products by oneDNN, in the layout that they are given: a transposed operand is one with other strides.
#include "gradus/ops/matmul.h"
#include "gradus/kernel/onednn/program.h"
#include "gradus/kernel/registry.h"

namespace gradus::kernel {
namespace onednn {
namespace {

/// A stack of `batch` matrices of rows x columns as the product sees them; `transposed`: stored the other way round.
/// A single matrix has two axes, a stack three.
Desc matrices(std::int64_t batch, std::int64_t rows, std::int64_t columns, bool transposed, Type type) {
  dnnl::memory::dims dims{batch, rows, columns};
  dnnl::memory::dims strides{rows * columns, transposed ? 1 : columns, transposed ? rows : 1};
  if (batch == 1) {
    dims.erase(dims.begin());
    strides.erase(strides.begin());
  }
  return Desc(dims, type, strides);
}

template <Type Operands>
std::unique_ptr<Kernel> make_matmul(const Request& request, std::string& reason) {
  if (!takes(Operands, request, reason) || has_empty(request, reason)) return nullptr;
  const MatMul& op = *request.op.as<MatMul>();
  const Shape &a_shape = request.inputs[0].shape, &c_shape = request.outputs[0].shape;
  const int rank = c_shape.rank();
  const std::int64_t batch = c_shape.numel(0, rank - 2), m = c_shape[rank - 2], n = c_shape[rank - 1];
  const std::int64_t k = a_shape[rank - (op.transpose_a ? 2 : 1)];
  const double flops = 2.0 * static_cast<double>(batch * m * n) * static_cast<double>(k);
  return guarded(reason, f32_flops(Operands, flops), [&]() -> std::unique_ptr<Kernel> {
    const auto a = [&](Type type) { return matrices(batch, m, k, op.transpose_a, type); };
    const auto b = [&](Type type) { return matrices(batch, k, n, op.transpose_b, type); };
    // The plain kernels of f32 write no bf16: what they sum is rounded behind them.
    const auto c = [&](Type type) { return matrices(batch, m, n, false, op.narrow ? type : Type::f32); };
    // Measured on one core with AVX-512 and AMX: of 1024 rows and more, packing b first pays by 5 to 15 %; of 128 it costs as much
    // as it saves in f32 and a third of the speed in bf16. oneDNN copies a transposed bf16 operand in any case.
    const bool packs = batch == 1 && m >= 1024 && (Operands == Type::f32 || !op.transpose_a);
    const auto right = [&](Type type) { return packs ? any({k, n}, type) : b(type); };
    const auto desc = fastest(Operands, [&](Type type) { return matmul_desc(a(type), right(type), c(type)); });
    auto program = std::make_unique<Program>(flops);
    const dnnl::memory product = program->output_as(0, c(Operands), desc.dst_desc());
    program->add(dnnl::matmul(desc), desc,
                 {{DNNL_ARG_SRC, program->input_as(0, a(Operands), desc.src_desc())},
                  {DNNL_ARG_WEIGHTS, program->input_as(1, b(Operands), desc.weights_desc())},
                  {DNNL_ARG_DST, product}});
    program->deliver(0, c(Operands), product);
    return program;
  });
}

}  // namespace
}  // namespace onednn

std::vector<Implementation> onednn_matmul_kernels() {
  return {{"matmul", "onednn", onednn::make_matmul<onednn::Type::f32>},
          {"matmul", "bf16", onednn::make_matmul<onednn::Type::bf16>}};
}

}  // namespace gradus::kernel
