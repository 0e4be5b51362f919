// SHA-256 (FIPS 180-4): says whether a file is the one that was meant.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace gradus::data {

/// A sum over bytes that arrive piece by piece.
///
///   Sha256 sum;
///   sum.update("a"), sum.update("bc");
///   sum.hex();   // "ba7816bf..."
class Sha256 {
 public:
  void update(std::string_view bytes);
  /// 64 hexadecimal digits, in lower case, of all that came so far. More may follow.
  std::string hex() const;

 private:
  void take_block(const unsigned char* block);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> rest_{};  ///< the last bytes % 64 bytes
  std::uint64_t bytes_ = 0;
};

/// The sum of a file's content. Throws Error(io) on behalf of `op`.
std::string sha256_of_file(const std::string& path, const std::string& op);

}  // namespace gradus::data
