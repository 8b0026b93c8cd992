#include "runtime/log.h"

#include <gtest/gtest.h>

namespace weir::runtime {
namespace {

TEST(LogTest, LinesAreKeysAndValues) {
  EXPECT_EQ(format_log_line("started", {{"port", 9877}, {"ratio", 0.5}, {"name", "prod"}}),
            "msg=started port=9877 ratio=0.5 name=prod");
}

TEST(LogTest, ValuesAreQuotedWhereTheyMustBe) {
  EXPECT_EQ(format_log_line("a b", {{"empty", ""}, {"quote", "say \"hi\""}, {"equals", "a=b"}}),
            R"(msg="a b" empty="" quote="say \"hi\"" equals="a=b")");
}

TEST(LogTest, NothingFromOutsideCanBeginALineOrMoveTheCursor) {
  const std::string line = format_log_line("x", {{"topic", "a\nmsg=forged\r\x1b[2K\x7f"}});
  EXPECT_EQ(line, R"(msg=x topic="a\nmsg=forged\x0d\x1b[2K\x7f")");
}

TEST(LogTest, TheLevelDecidesWhatIsWritten) {
  ASSERT_TRUE(set_log_level("warn"));
  testing::internal::CaptureStderr();
  log_info("hidden");
  log_warn("shown", {{"n", 1}});
  const std::string lines = testing::internal::GetCapturedStderr();
  set_log_level("info");
  EXPECT_EQ(lines.find("hidden"), std::string::npos);
  EXPECT_NE(lines.find("msg=shown n=1"), std::string::npos);
  EXPECT_FALSE(set_log_level("loud"));
}

}  // namespace
}  // namespace weir::runtime
