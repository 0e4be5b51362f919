// Tables of wrong uses: what a user did, and the whole message that answers it.
//
//   const std::vector<WrongUse> uses = {{"what", [] { relu(Tensor()); }, "usage error in ..."}};
//   check_wrong_uses(uses);
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "gradus/base/error.h"

namespace gradus::testing {

struct WrongUse {
  std::string name;
  std::function<void()> use;
  std::string message;
};

/// `text` without what differs from machine to machine: ", called at FILE:LINE", and `folder` becomes "DIR".
inline std::string portable_message(std::string text, const std::string& folder = "") {
  const std::string mark = ", called at ";
  for (std::size_t at = text.find(mark); at != text.npos; at = text.find(mark, at)) {
    const std::size_t line_end = std::min(text.find('\n', at), text.size());
    const std::size_t colon = text.find(':', at);  // of FILE:LINE
    const std::size_t end = text.find_first_not_of("0123456789", colon + 1);
    text.erase(at, std::min(end == text.npos ? text.size() : end, line_end) - at);
  }
  for (std::size_t at = 0; !folder.empty() && (at = text.find(folder)) != text.npos;)
    text.replace(at, folder.size(), "DIR");
  return text;
}

/// Every use throws a gradus::Error of exactly this message (see portable_message), and no two have one name.
inline void check_wrong_uses(const std::vector<WrongUse>& uses, const std::string& folder = "") {
  std::set<std::string> names;
  for (const WrongUse& wrong : uses) {
    EXPECT_TRUE(names.insert(wrong.name).second) << wrong.name;
    try {
      wrong.use();
      ADD_FAILURE() << wrong.name << ": nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(portable_message(error.what(), folder), wrong.message) << wrong.name;
    }
  }
}

}  // namespace gradus::testing
