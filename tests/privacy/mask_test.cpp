#include "privacy/mask.h"

#include <gtest/gtest.h>
#include <utility>
#include <vector>

namespace weir::privacy {
namespace {

TEST(MaskTest, HidesWhatIdentifiesAPerson) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"write to jane.doe+x@example.co.uk now", "write to <email> now"},
      {"mailto:jürgen@müller.de", "mailto:<email>"},
      {"a@b.cc,d@e.ff", "<email>,<email>"},
      {"o'brien+x@ex.co.uk", "<email>"},
      {"'a@b.cc'", "'<email>'"},
      {"to \"quoted x\"@ex.com.", "to <email>."},
      {"user@localhost", "<email>"},
      {"491705551234", "<phone>"},
      {"4915123456789", "<phone>"},
      {"4111 1111 1111 1111", "<card>"},
      {"4111-1111-1111-1111!", "<card>!"},
      {"378282246310005", "<card>"},
      {"DE89 3704 0044 0532 0130 00", "<iban>"},
      {"gb29nwbk60161331926819", "<iban>"},
      {"from 192.168.10.20:443", "from <ip>:443"},
      {"2001:db8::ff00:42:8329", "<ip>"},
      {"fe80:0:0:0:1:2:3:4", "<ip>"},
      {"::1 x", "<ip> x"},
      {"+49 (151) 1234-5678", "<phone>"},
      {"0151/12345678", "<phone>"},
      {"555-123-4567 or (555) 123-4567", "<phone> or <phone>"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(mask(text), expected) << text;
}

TEST(MaskTest, ANumberEndsWhereItEndsWhateverFollows) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"DE89370400440532013000 from 10.1.2.3 mmm", "<iban> from <ip> mmm"},
      {"DE89 3704 0044 0532 0130 00 12 apples of 10.1.2.3", "<iban> 12 apples of <ip>"},
      {"DE89 3704 0044 0532 0130 00 GB29 NWBK 6016 1331 9268 19", "<iban> <iban>"},
      {"DE89370400440532013000-NO9386011117947", "<iban>-<iban>"},
      {"key_DE89370400440532013000x", "key_<iban>x"},
      {"IBANDE89-3704-0044-0532-0130-00.", "IBAN<iban>."},
      {"MT84MALT011000012345MTLCAST001S is 31 long", "<iban> is 31 long"},
      {"NO93 8601 1117 947 is 15 long", "<iban> is 15 long"},
      {"4111111111111111 10.1.2.3", "<card> <ip>"},
      {"12 4111111111111111 in 12 months", "12 <card> in 12 months"},
      {"4111-1111-1111-1111-2024-01-05", "<card>-2024-01-05"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(mask(text), expected) << text;
}

TEST(MaskTest, CheckDigitsAndTheCountrysLengthDecideWhatAnAccountIs) {
  for (const char* text : {"DE89370400440532013abc", "DE88 3704 A044 0532 B130 00", "AB12 this is no account at all",
                           "ZZ12abcdefghijklmnopqr", "DE89 37 04 00 44 A5 32 B1 30 C0", "DE89"}) {
    EXPECT_EQ(mask(text), text);
  }
}

TEST(MaskTest, LeavesEverythingElse) {
  for (const char* text : {"", "2023-11-14T22:13:20Z", "12:34:56", "4111 1111 1111 1112", "1700000000000",
                           "version 1.2.3", "@home", "meet @ 5", "AB12", "order 17 of 2023-11-14", "C++::", "10.5"}) {
    EXPECT_EQ(mask(text), text);
  }
}

TEST(MaskTest, EndsOnWhateverItIsGiven) {
  EXPECT_EQ(mask(std::string(10'000, '@')).size(), 10'000U);
  EXPECT_NE(mask(std::string("\xff\xfe@\xff.\xff\xff", 7)), "x");
  EXPECT_LT(mask(std::string(5000, '1')).size(), 5001U);
}

TEST(CutTest, LeavesWholeCharacters) {
  EXPECT_EQ(cut("short", 5), "short");
  EXPECT_EQ(cut("Müller", 2), "M…");
  EXPECT_EQ(cut("abc", 0), "…");
}

TEST(PrintableTest, HasASpaceForEachControlCharacter) { EXPECT_EQ(printable("a\nb\x1b[31m\x7f"), "a b [31m "); }

}  // namespace
}  // namespace weir::privacy
