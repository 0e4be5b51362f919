// Pictures of either format, and folders of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradus/data/dataset.h"

namespace gradus::data {

struct ImageSize {
  std::int64_t height = 0, width = 0;
  friend bool operator==(const ImageSize&, const ImageSize&) = default;
};

struct ImageOptions {
  /// 0: as stored; 1: grey; 3: RGB.
  int channels = 0;
  /// Resized to this; {0, 0}: as stored.
  ImageSize resize = {};
};

/// A PNG or JPEG file (told by its first bytes) as u8 [channels, height, width]. Throws as read_png and read_jpeg, and
/// Error(format) for anything else.
Tensor read_image(const std::string& path, const ImageOptions& options = {});

/// An evaluated u8 image [channels, height, width], resized by a triangle filter that covers every source pixel
/// (as PyTorch with mode bilinear and antialias), rounded. Throws Error(dtype), Error(shape), or Error(value) for a size below 1.
Tensor resized(const Tensor& image, ImageSize size);

struct ImageFolderOptions {
  int channels = 0;       ///< as ImageOptions
  ImageSize resize = {};  ///< as ImageOptions
  /// The classes in order (a test folder gets those of the training folder); empty: the subfolders in the order of their
  /// names. A subfolder that is not among them is an error.
  std::vector<std::string> class_names = {};
  /// After the division by 255; one entry or one per channel.
  std::vector<double> mean = {}, std = {};
};

/// Pictures in one folder per class: "cats/CLASS/anything.png", also .jpg and .jpeg; other and hidden files do not count.
/// They are read in the order of their names. Batches are f32 [B, channels, height, width] in 0 to 1, normalised.
///
/// Throws Error(io) when the folder is missing; Error(format) when it has no class folders, a class has no pictures, or
/// pictures differ in size or channels (naming two of them, and the option that mends it); Error(value) for an unknown class.
Dataset image_folder(const std::string& folder, const ImageFolderOptions& options = {});

}  // namespace gradus::data
