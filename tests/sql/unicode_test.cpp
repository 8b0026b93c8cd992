#include "sql/unicode.h"

#include <gtest/gtest.h>

namespace weir::sql {
namespace {

TEST(Unicode, GoesBothWays) {
  for (const std::string text :
       {"", "a", "größe", "€", "\xF0\x9F\x98\x80", "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(to_utf8(to_utf16(text)), text);
  }
  EXPECT_EQ(to_utf16("\xF0\x9F\x98\x80"), u"\xD83D\xDE00");
  EXPECT_EQ(to_utf8(std::u16string(u"a\0b", 3)), std::string("a\0b", 3));
}

TEST(Unicode, ReplacesWhatIsNotValid) {
  EXPECT_EQ(to_utf16("a\xFF"
                     "b"),
            u"a\uFFFDb");
  EXPECT_EQ(to_utf16("\xC0\x80"), u"\uFFFD\uFFFD") << "overlong";
  EXPECT_EQ(to_utf16("\xE2\x82"), u"\uFFFD\uFFFD") << "cut";
  EXPECT_EQ(to_utf16("\xED\xA0\x80"), u"\uFFFD\uFFFD\uFFFD") << "a surrogate";
  EXPECT_EQ(to_utf16("\xF5\x80\x80\x80").size(), 4U);
  EXPECT_EQ(to_utf8(std::u16string(1, char16_t{0xD800})), "\uFFFD");
  EXPECT_EQ(to_utf8(std::u16string{char16_t{0xDC00}, u'a'}), "\uFFFDa");
}

}  // namespace
}  // namespace weir::sql
