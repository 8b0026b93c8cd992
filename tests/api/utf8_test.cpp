#include "api/utf8.h"

#include <gtest/gtest.h>

namespace weir::api {
namespace {

std::string valid(std::string_view text) {
  std::string out;
  append_valid_utf8(out, text);
  return out;
}

TEST(Utf8Test, LeavesValidTextAsItIs) {
  for (const char* text : {"", "plain", "é", "€", "𝄞", "\U0010FFFF", "\uFFFD", "\uD7FF\uE000"})
    EXPECT_EQ(valid(text), text);
}

TEST(Utf8Test, ReplacesWhatIsNotWellFormed) {
  EXPECT_EQ(valid("a\xff"), "a\uFFFD");
  EXPECT_EQ(valid("\xc3"), "\uFFFD");                                // cut short
  EXPECT_EQ(valid("\xc3z"), "\uFFFDz");                              // the next byte is not swallowed
  EXPECT_EQ(valid("\xc0\xaf"), "\uFFFD\uFFFD");                      // overlong
  EXPECT_EQ(valid("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");            // a surrogate
  EXPECT_EQ(valid("\xf4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // past U+10FFFF
  EXPECT_EQ(valid("\xe2\x82"), "\uFFFD\uFFFD");
}

}  // namespace
}  // namespace weir::api
