// A region, compiled: which step writes which memory, tile after tile.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gradus/kernel/elementwise/tile_functions.h"
#include "gradus/ops/region.h"

namespace gradus::kernel {

/// One axis of an input's reading pattern: axes that are read as one are merged, axes of size 1 are gone.
struct GatherAxis {
  std::int64_t size = 1;
  std::int64_t stride = 0;  ///< in elements
};

/// How an input that is not dense is brought into a tile.
struct Gather {
  std::int32_t input = 0;
  std::int64_t offset = 0;  ///< of the first element
  std::size_t element = 4;  ///< bytes
  std::vector<GatherAxis> axes;
};

/// Where a value lives while a tile is computed.
struct Place {
  enum class Kind : std::uint8_t { input, output, tile };
  Kind kind = Kind::tile;
  std::int32_t index = 0;   ///< of the input or output
  std::size_t offset = 0;   ///< bytes: in the tile memory, or of the input's first element
  std::size_t element = 4;  ///< bytes of one element
};

struct Step {
  enum class Kind : std::uint8_t { compute, gather, fill };
  Kind kind = Kind::compute;
  TileFunction function = nullptr;                ///< of compute (copies are computed by find_cast(t, t))
  std::int32_t out = 0;                           ///< a place
  std::array<std::int32_t, 3> args{0, 0, 0};      ///< places; those beyond the arity repeat the first
  std::int32_t gather = 0;                        ///< of gather: index into TileProgram::gathers
  alignas(8) std::array<std::byte, 8> pattern{};  ///< of fill: the bytes of the element
};

/// Runs over elements [0, count) in tiles; elements do not depend on each other, so any split gives the same bits.
struct TileProgram {
  std::int64_t count = 0;
  std::int64_t tile = 0;  ///< elements of a tile
  std::vector<Place> places;
  std::vector<Gather> gathers;
  std::vector<Step> prologue;                   ///< what is the same for all elements: once for each thread
  std::vector<Step> steps;                      ///< once for each tile
  std::size_t tile_bytes = 0;                   ///< memory of all places of kind `tile`, a multiple of 64
  std::int64_t arithmetic = 0;                  ///< instructions per element that compute
  std::vector<std::vector<bool>> overwritable;  ///< [input][output]: the output may take the input's memory
};

/// The axes of an input's reading pattern over `space`, outermost first: merged where one stride covers two axes.
std::vector<GatherAxis> merged_axes(const Shape& space, const RegionInput& input);

/// Compiles `region`; nullptr with the reason when an instruction has no loop. A malformed region is a defect.
std::unique_ptr<TileProgram> compile(const Region& region, std::string& reason);

}  // namespace gradus::kernel
