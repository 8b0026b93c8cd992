#include "core/percent.h"

#include <gtest/gtest.h>

namespace weir::core {
namespace {

TEST(PercentEncodedTest, KeepsOnlyWhatNeedsNoEscape) {
  EXPECT_EQ(percent_encoded("aZ09-._~ /%\xc3\xa4"), "aZ09-._~%20%2F%25%C3%A4");
}

TEST(FormEncodedTest, ABlankIsAPlusAndAPlusIsNot) { EXPECT_EQ(form_encoded("a b+~"), "a+b%2B~"); }

}  // namespace
}  // namespace weir::core
