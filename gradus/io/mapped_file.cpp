#include "gradus/io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "gradus/base/error.h"

namespace gradus::io {

std::string system_message(int error_number) { return std::generic_category().message(error_number); }

InputFile::InputFile(std::string path, std::string op) : path_(std::move(path)), op_(std::move(op)) {
  // O_NONBLOCK: opening a pipe must not wait for its writer.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
    throw Error(ErrorKind::io, op_, "cannot open the file: " + system_message(errno)).context(path_);
  }
  struct stat status;
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    throw Error(ErrorKind::io, op_, "this is not a regular file").context(path_);
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() { ::close(descriptor_); }

std::size_t InputFile::read(std::span<std::byte> out) {
  std::size_t got = 0;
  while (got < out.size()) {
    const ssize_t count = ::read(descriptor_, out.data() + got, out.size() - got);
    if (count == 0) break;
    if (count < 0) {
      if (errno == EINTR) continue;
      throw Error(ErrorKind::io, op_, "cannot read the file: " + system_message(errno)).context(path_);
    }
    got += static_cast<std::size_t>(count);
  }
  return got;
}

MappedFile::MappedFile(const std::string& path, const std::string& op) {
  const InputFile file(path, op);
  size_ = static_cast<std::size_t>(file.size());
  if (size_ == 0) return;  // there is no empty map
  void* data = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
  if (data == MAP_FAILED) {
    throw Error(ErrorKind::io, op, "cannot map the file: " + system_message(errno)).context(path);
  }
  data_ = static_cast<const std::byte*>(data);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace gradus::io
