// Shared libraries of others, loaded when they are used for the first time. They would make every start of a program slower, and
// some of them export names such as `train` and `predict`, which must not meet those of a user's program.
#pragma once

#include <dlfcn.h>

#include <initializer_list>
#include <type_traits>

namespace gradus::detail {

/// Never unloaded.
class SharedLibrary {
 public:
  /// The first of these files that the system finds.
  explicit SharedLibrary(std::initializer_list<const char*> names) {
    for (const char* name : names)
      if (handle_ == nullptr) handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    usable_ = handle_ != nullptr;
  }
  template <class Function>
  void find(Function*& function, const char* name) {
    if (handle_ == nullptr) return;
    function = reinterpret_cast<Function*>(dlsym(handle_, name));
    usable_ = usable_ && function != nullptr;
  }
  /// Everything that was looked for was found.
  bool usable() const { return usable_; }

 private:
  void* handle_ = nullptr;
  bool usable_ = false;
};

}  // namespace gradus::detail
