// The families of kernels. Each lists its implementations in order of preference; a family's reference comes last.
#pragma once

#include <vector>

#include "gradus/kernel/kernel.h"

namespace gradus::kernel {

std::vector<Implementation> region_kernels();
std::vector<Implementation> elementwise_kernels();
std::vector<Implementation> view_kernels();
std::vector<Implementation> concat_kernels();
std::vector<Implementation> reduce_kernels();
std::vector<Implementation> region_reduce_kernels();
std::vector<Implementation> softmax_kernels();
std::vector<Implementation> scan_kernels();
std::vector<Implementation> index_kernels();
std::vector<Implementation> sort_kernels();
std::vector<Implementation> random_kernels();
std::vector<Implementation> lapack_kernels();

std::vector<Implementation> small_matmul_kernels();
std::vector<Implementation> narrow_matmul_kernels();
std::vector<Implementation> quantized_kernels();
std::vector<Implementation> onednn_matmul_kernels();
std::vector<Implementation> onednn_conv_kernels();
std::vector<Implementation> onednn_pool_kernels();
std::vector<Implementation> tile_pool_kernels();

std::vector<Implementation> reference_matmul_kernels();
std::vector<Implementation> reference_conv_kernels();
std::vector<Implementation> reference_channels_last_kernels();
std::vector<Implementation> reference_pool_kernels();
std::vector<Implementation> attention_kernels();
std::vector<Implementation> recurrent_kernels();

}  // namespace gradus::kernel
