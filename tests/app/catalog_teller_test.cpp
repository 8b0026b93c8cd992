#include "app/catalog_teller.h"

#include <gtest/gtest.h>

#include "runtime/clock.h"

namespace weir::app {
namespace {

using namespace std::chrono_literals;

const core::Time kNow{std::chrono::seconds(1'700'000'000)};

core::Incident incident(const std::string& id, core::Time opened, std::optional<core::Time> resolved = {}) {
  core::Incident made;
  made.id = id;
  made.opened_at = opened;
  made.resolved_at = resolved;
  made.alerts.emplace_back();
  return made;
}

/// How many events wait, for nobody listens where they are sent.
class CatalogTellerTest : public testing::Test {
 protected:
  CatalogTellerTest() {
    collectors::EmitSettings settings;
    settings.endpoint.url = "http://127.0.0.1:1";
    settings.every = 1h;
    lineage::Catalog catalog;
    catalog.type = "datahub";
    catalog.platforms = {{"w", {.platform = "postgres", .prefix = {}}}};
    teller_.emplace(catalog, settings, clock_);
  }
  std::size_t told(std::vector<core::Incident> incidents, core::Time now, const std::string& place = "w") {
    const std::size_t before = teller_->report().waiting;
    teller_->tell(
        incidents,
        [&](const core::Labels&) {
          return core::Node{"table", place, "orders"};
        },
        now);
    return teller_->report().waiting - before;
  }

  runtime::SystemClock clock_;
  std::optional<CatalogTeller> teller_;
};

TEST_F(CatalogTellerTest, AnIncidentIsToldAtBothEndsAndEachHourWhileItIsOpen) {
  EXPECT_EQ(told({incident("a", kNow)}, kNow), 1U);
  EXPECT_EQ(told({incident("a", kNow)}, kNow + 10s), 0U);
  EXPECT_EQ(told({incident("a", kNow), incident("b", kNow + 20s)}, kNow + 20s), 1U);
  EXPECT_EQ(told({incident("a", kNow), incident("b", kNow + 20s, kNow + 30s)}, kNow + 30s), 1U);
  EXPECT_EQ(told({incident("a", kNow), incident("b", kNow + 20s, kNow + 30s)}, kNow + 1h), 2U)
      << "what ended since is told again with those that are open: the event may have been lost";
  EXPECT_EQ(told({incident("a", kNow), incident("b", kNow + 20s, kNow + 30s)}, kNow + 2h), 1U);
  EXPECT_EQ(told({incident("a", kNow), incident("b", kNow + 20s)}, kNow + 2h + 1s), 1U) << "reopened";
}

TEST_F(CatalogTellerTest, AfterARestartWhatEndedLongAgoIsNotTold) {
  EXPECT_EQ(told({incident("old", kNow - 3h, kNow - 2h), incident("new", kNow - 2h, kNow - 1min)}, kNow), 1U);
  EXPECT_EQ(told({incident("old", kNow - 3h, kNow - 2h), incident("new", kNow - 2h, kNow - 1min)}, kNow + 1s), 0U);
}

TEST_F(CatalogTellerTest, WhatTheCatalogHasNoNameForIsNotTold) {
  EXPECT_EQ(told({incident("a", kNow)}, kNow, "elsewhere"), 0U);
}

}  // namespace
}  // namespace weir::app
