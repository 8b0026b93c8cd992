#include "collectors/stack_trace.h"

#include <gtest/gtest.h>

namespace weir::collectors {
namespace {

TEST(StackTrace, TellsTheErrorAndItsInnermostCause) {
  EXPECT_EQ(
      trace_summary("org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n"
                    "\tat org.apache.kafka.connect.runtime.X.y(X.java:260)\n"
                    "Caused by: org.apache.kafka.connect.errors.DataException: Converting byte[] failed\n"
                    "\tat a.b\n\t... 14 more\n"
                    "Caused by: com.fasterxml.jackson.core.JsonParseException: Unrecognized token 'x'\n\tat c\n"),
      "ConnectException: Tolerance exceeded in error handler, caused by JsonParseException: Unrecognized token 'x'");
  EXPECT_EQ(trace_summary("java.lang.IllegalStateException: a\n\tat b\nCaused by: IllegalStateException: a"),
            "IllegalStateException: a");
}

TEST(StackTrace, OfPythonsTheLastLineIsTheError) {
  EXPECT_EQ(trace_summary("Traceback (most recent call last):\n  File \"x.py\", line 1, in <module>\n    1 / 0\n"
                          "builtins.ZeroDivisionError: division by zero\n\n"),
            "ZeroDivisionError: division by zero");
  EXPECT_EQ(trace_summary("Traceback (most recent call last):"), "Traceback (most recent call last):");
}

TEST(StackTrace, OfOtherTextsTheFirstLineAsItIs) {
  EXPECT_EQ(trace_summary(""), "");
  EXPECT_EQ(trace_summary(" \n\t"), "");
  EXPECT_EQ(trace_summary("\n  the disk is full. \r\nsee /var/log"), "the disk is full.");
  EXPECT_EQ(trace_summary("file://a.B is gone"), "file://a.B is gone");
  EXPECT_EQ(trace_summary("db-1.Internal: x"), "Internal: x");
  EXPECT_EQ(trace_summary("Caused by: "), "Caused by:");
}

}  // namespace
}  // namespace weir::collectors
