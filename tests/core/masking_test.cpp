#include "core/masking.h"

#include <gtest/gtest.h>

namespace weir::core {
namespace {

TEST(MaskingTest, IsMaskedWhereverATextQuotesIt) {
  EXPECT_EQ(without_secret("no role for s3cr3t, s3cr3t", "s3cr3t"), "no role for <secret>, <secret>");
  EXPECT_EQ(without_secret("nothing of it", "s3cr3t"), "nothing of it");
  EXPECT_EQ(without_secret("nothing of it", ""), "nothing of it");
}

TEST(MaskingTest, OneWithinTheMarkIsNotMaskedInItAgain) {
  EXPECT_EQ(without_secret("a secret", "secret"), "a <secret>");
}

TEST(MaskingTest, AShortOneIsMaskedInQuotesOnlySoThatWordsStayReadable) {
  EXPECT_EQ(without_secret("password authentication failed", "a"), "password authentication failed");
  EXPECT_EQ(without_secret(R"(invalid value "a" or 'a')", "a"), R"(invalid value "<secret>" or '<secret>')");
}

}  // namespace
}  // namespace weir::core
