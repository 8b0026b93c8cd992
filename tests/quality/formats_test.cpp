#include "quality/formats.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

namespace weir::quality {
namespace {

bool fits(const std::string& format, const std::string& text) {
  const NamedFormat* known = find_format(format);
  EXPECT_NE(known, nullptr) << format;
  return known != nullptr && RE2::PartialMatch(text, RE2(known->regex));
}

TEST(Formats, AreAllRegularExpressions) {
  EXPECT_EQ(named_formats().size(), 41U);
  for (const NamedFormat& format : named_formats()) {
    const RE2 regex(format.regex, RE2::Quiet);
    EXPECT_TRUE(regex.ok()) << format.name << ": " << regex.error();
    EXPECT_FALSE(fits(format.name, "no such thing")) << format.name;
  }
}

TEST(Formats, TakeWhatTheyName) {
  for (const auto& [format, text] :
       std::vector<std::pair<std::string, std::string>>{{"integer", " -12 "},
                                                        {"positive integer", "+12"},
                                                        {"negative integer", "-0012"},
                                                        {"negative integer", "0"},
                                                        {"decimal", "1,5"},
                                                        {"decimal point", "-.5"},
                                                        {"decimal comma", "1,5"},
                                                        {"percentage", "12.5 %"},
                                                        {"money", "12.50 EUR"},
                                                        {"money point", "1,234.50 usd"},
                                                        {"money comma", "1.234,50 EUR"},
                                                        {"date us", "12/31/2026"},
                                                        {"date eu", "31.12.2026"},
                                                        {"date inverse", "2026-12-31"},
                                                        {"date iso 8601", "2026-12-31T23:59:59.5+02:00"},
                                                        {"date iso 8601", "2026-W05-1"},
                                                        {"time 24h", "23:59:59"},
                                                        {"time 12h nosec", "11:59"},
                                                        {"timestamp 24h", "23:59:59.5"},
                                                        {"uuid", "123e4567-e89b-12d3-a456-426614174000"},
                                                        {"ip address", "999.0.0.1"},
                                                        {"ipv6 address", "fe80::1"},
                                                        {"ipv6 address", "::ffff:10.0.0.1"},
                                                        {"email", "ünï.x+y@exämple.org"},
                                                        {"phone number", "(555) 555-0100"},
                                                        {"credit card number", "4111 1111 1111 1111"}}) {
    EXPECT_TRUE(fits(format, text)) << format << ": " << text;
  }
  EXPECT_FALSE(fits("positive integer", "-1"));
  EXPECT_FALSE(fits("decimal point", "1,5"));
  EXPECT_FALSE(fits("email", "a@b"));
  EXPECT_EQ(find_format("emial"), nullptr);
}

}  // namespace
}  // namespace weir::quality
