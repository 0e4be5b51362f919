// The makers of this folder: tiles of f32 in vectors that are chosen at run time.
#pragma once

#include <cstddef>

#include "gradus/kernel/kernel.h"

namespace gradus::kernel {

/// Rows of intermediate results are padded to a multiple of this many elements, whatever the width of the vectors.
inline constexpr std::size_t sequence_padding = 64;

constexpr std::size_t padded(std::size_t count) {
  return (count + sequence_padding - 1) / sequence_padding * sequence_padding;
}

std::unique_ptr<Kernel> make_tile_lstm(const Request& request, std::string& reason);
std::unique_ptr<Kernel> make_tile_lstm_gradient(const Request& request, std::string& reason);
std::unique_ptr<Kernel> make_tile_attention(const Request& request, std::string& reason);
std::unique_ptr<Kernel> make_tile_attention_gradient(const Request& request, std::string& reason);

}  // namespace gradus::kernel
