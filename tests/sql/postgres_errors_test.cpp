#include "sql/postgres_errors.h"

#include <gtest/gtest.h>

namespace weir::sql {
namespace {

using core::ErrorKind;

TEST(PostgresErrors, HaveTheKindOfTheirSqlstate) {
  EXPECT_EQ(kind_of_sqlstate("57014"), ErrorKind::timeout);
  EXPECT_EQ(kind_of_sqlstate("55P03"), ErrorKind::timeout);
  EXPECT_EQ(kind_of_sqlstate("42P01"), ErrorKind::not_found);
  EXPECT_EQ(kind_of_sqlstate("42703"), ErrorKind::not_found);
  EXPECT_EQ(kind_of_sqlstate("42501"), ErrorKind::denied);
  EXPECT_EQ(kind_of_sqlstate("25006"), ErrorKind::denied);
  EXPECT_EQ(kind_of_sqlstate("28P01"), ErrorKind::denied);
  EXPECT_EQ(kind_of_sqlstate("57P01"), ErrorKind::unavailable);
  EXPECT_EQ(kind_of_sqlstate("53300"), ErrorKind::unavailable);
  EXPECT_EQ(kind_of_sqlstate("42883"), ErrorKind::invalid);
  EXPECT_EQ(kind_of_sqlstate("22012"), ErrorKind::invalid);
}

TEST(PostgresErrors, OfConnectingAreReadFromTheirWords) {
  EXPECT_EQ(kind_of_connect_failure("FATAL:  password authentication failed for user \"weir\""), ErrorKind::denied);
  EXPECT_EQ(kind_of_connect_failure("fe_sendauth: no password supplied"), ErrorKind::denied);
  EXPECT_EQ(kind_of_connect_failure("FATAL:  no pg_hba.conf entry for host"), ErrorKind::denied);
  EXPECT_EQ(kind_of_connect_failure("FATAL:  database \"shop\" does not exist"), ErrorKind::not_found);
  EXPECT_EQ(kind_of_connect_failure("could not connect: Connection refused"), ErrorKind::unavailable);
  EXPECT_EQ(kind_of_connect_failure("invalid URI query parameter: \"x\""), ErrorKind::invalid);
  EXPECT_EQ(kind_of_connect_failure("timeout expired"), ErrorKind::timeout);
  EXPECT_EQ(kind_of_connect_failure("FATAL:  the database system is starting up"), ErrorKind::unavailable);
}

TEST(PostgresErrors, AreOneSentenceWithoutData) {
  EXPECT_EQ(first_sentence("ERROR:  relation \"t\" does not exist\nLINE 1: SELECT secret\n"),
            "relation \"t\" does not exist");
  EXPECT_EQ(
      first_sentence("connection to server at \"10.0.0.1\", port 5432 failed: Connection refused\n\tIs the server"),
      "Connection refused");
  EXPECT_EQ(first_sentence("connection to server at \"::1\", port 1 failed: FATAL:  role \"x\" does not exist\n"),
            "role \"x\" does not exist");
  EXPECT_EQ(first_sentence(""), "");
}

TEST(PostgresErrors, NeverQuoteAConnectionString) {
  for (const char* message :
       {"invalid percent-encoded token: \"hun%zz\"", "unexpected character in URI: \"u:hunter2@\"",
        "missing \"=\" after \"hunter2\" in connection info string", "invalid connection option \"hunter2\""}) {
    EXPECT_EQ(first_sentence(message).find("hun"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace weir::sql
