// Event files, as TensorBoard reads them: scalars, histograms, images and text over training steps.
//
//   io::EventWriter events("runs/first");
//   events.scalar("train/loss", step, 0.25);
//   events.histogram("weights/conv1.weight", step, weight.to_vector<double>());
//   events.flush();
//
// then `tensorboard --logdir runs`. No TensorBoard is needed for writing.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gradus::io {

/// An encoded picture.
struct EventImage {
  std::string_view png;  ///< the content of a PNG file
  std::int64_t height = 0, width = 0;
  int channels = 3;  ///< 1 grey, 2 grey with alpha, 3 RGB, 4 RGBA
};

/// Appends events to a new file "events.out.tfevents.<time>.<host>.<process>.gradus" in a folder. Tags with a slash are
/// grouped by what stands before it. Each record carries masked CRC-32C checksums, so a reader stops cleanly at a record
/// that a killed process left half-written.
class EventWriter {
 public:
  /// Makes the folder. `first_step`: readers forget what earlier files say about this step and later ones; give it when a
  /// run continues from a checkpoint; negative: nothing is forgotten. Throws Error(io).
  explicit EventWriter(const std::string& folder, std::int64_t first_step = -1);

  /// Any value; those that are not finite are shown as such.
  void scalar(std::string_view tag, std::int64_t step, double value);
  /// Counts `values` in 30 buckets of equal width. NaN and infinities are left out and counted: their number is returned,
  /// and written as the scalar "TAG/nonfinite" when it is not 0.
  std::int64_t histogram(std::string_view tag, std::int64_t step, std::span<const double> values);
  void image(std::string_view tag, std::int64_t step, const EventImage& image);
  /// Markdown.
  void text(std::string_view tag, std::int64_t step, std::string_view text);

  /// Hands everything to the operating system. Throws Error(io) when a write failed, for example on a full disk.
  void flush();

  const std::string& path() const { return path_; }

 private:
  void value(std::int64_t step, const std::string& value);
  void record(const std::string& event);

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  bool failed_ = false;
};

namespace detail {
/// CRC-32C (Castagnoli), as of RFC 3720.
std::uint32_t crc32c(std::string_view bytes);
/// As TFRecord stores it, so that checksums of data that hold checksums stay useful.
std::uint32_t masked_crc32c(std::string_view bytes);
}  // namespace detail

}  // namespace gradus::io
