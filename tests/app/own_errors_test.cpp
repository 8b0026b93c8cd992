#include "app/own_errors.h"

#include <gmock/gmock.h>

#include "incidents/causes.h"

namespace weir::app {
namespace {

std::map<std::string, std::string> said(const OwnErrors& errors) {
  std::map<std::string, std::string> found;
  for (const core::Fault& fault : errors.faults()) found.emplace(fault.error.where, fault.error.message);
  return found;
}
using Said = std::map<std::string, std::string>;

TEST(OwnErrors, TheLastOfEachPartIsKeptPastItsEnd) {
  OwnErrors errors;
  errors.note("rules/a", "first");
  errors.note("rules/b", "other");
  errors.note("rules/a", "second");
  errors.note("rules/a", "");
  EXPECT_EQ(said(errors), (Said{{"rules/a", "second"}, {"rules/b", "other"}}));
}

TEST(OwnErrors, WhatIsGivenUpIsToldApartFromWhatIsTriedAgain) {
  OwnErrors errors;
  errors.note(notify::Report{.receiver = "a/webhook/0", .outcome = notify::Outcome::delivered});
  EXPECT_TRUE(said(errors).empty());
  errors.note(notify::Report{.receiver = "a/webhook/0", .outcome = notify::Outcome::dead, .error = "HTTP 404"});
  errors.note(notify::Report{.receiver = "a/webhook/0", .outcome = notify::Outcome::retried, .error = "HTTP 503"});
  EXPECT_EQ(said(errors), (Said{{"receiver/a/webhook/0", "HTTP 503"}, {"lost/a/webhook/0", "HTTP 404"}}));
}

TEST(OwnErrors, PartsAreBounded) {
  OwnErrors errors;
  for (std::size_t i = 0; i < OwnErrors::kMost + 10; ++i) errors.note("rules/" + std::to_string(i), "x");
  EXPECT_EQ(errors.faults().size(), OwnErrors::kMost);
  errors.note("rules/0", "newer");
  EXPECT_EQ(said(errors).at("rules/0"), "newer");
}

}  // namespace
}  // namespace weir::app
