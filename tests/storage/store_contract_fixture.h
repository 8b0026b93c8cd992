#pragma once

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "storage/store.h"

#include "postgres_schema.h"
#include "samples.h"

namespace weir::storage::testing {

/// What one test has: a place for a file, and one on a server, which is only asked for where it is used.
struct Places {
  TempFolder folder;
  std::unique_ptr<PostgresSchema> schema;
};

struct Implementation {
  std::string name;
  std::function<core::Result<std::unique_ptr<Store>>(Places&)> open;
  bool survives_reopen;
};

inline void PrintTo(const Implementation& implementation, std::ostream* out) { *out << implementation.name; }

/// What every Store must do is run over each implementation; a new one is one line in implementations().
class StoreContract : public ::testing::TestWithParam<Implementation> {
 protected:
  void SetUp() override { open(); }

  void open() {
    store_.reset();
    auto opened = GetParam().open(places_);
    ASSERT_TRUE(opened) << opened.error().describe();
    store_ = std::move(*opened);
  }
  /// Closes and opens again where the implementation keeps anything.
  void reopen() {
    if (GetParam().survives_reopen) open();
  }
  void commit(const Commit& changes) {
    const auto done = store_->commit(changes);
    ASSERT_TRUE(done) << done.error().describe();
  }
  std::vector<std::string> due_keys(core::Time now, std::size_t limit = 100) {
    const auto due = store_->due(now, limit);
    EXPECT_TRUE(due) << due.error().describe();
    std::vector<std::string> keys;
    for (const auto& message : *due) keys.push_back(message.idempotency_key);
    return keys;
  }
  std::int64_t sequence_of(const std::string& key, core::Time now) {
    const auto due = store_->due(now, 100);
    if (!due) return -1;
    for (const auto& message : *due) {
      if (message.idempotency_key == key) return message.sequence;
    }
    return -1;
  }

  Places places_;
  std::unique_ptr<Store> store_;
};

using Keys = std::vector<std::string>;

inline void expect_same(const core::Alert& left, const core::Alert& right) {
  EXPECT_EQ(left.fingerprint, right.fingerprint);
  EXPECT_EQ(left.group, right.group);
  EXPECT_EQ(left.rule, right.rule);
  EXPECT_EQ(left.labels, right.labels);
  EXPECT_EQ(left.annotations, right.annotations);
  EXPECT_EQ(left.state, right.state);
  EXPECT_EQ(left.active_at, right.active_at);
  EXPECT_EQ(left.fired_at, right.fired_at);
  EXPECT_EQ(left.resolved_at, right.resolved_at);
  EXPECT_EQ(left.keep_firing_since, right.keep_firing_since);
  EXPECT_EQ(left.value, right.value);
}

inline core::Result<std::unique_ptr<Store>> open_on_server(Places& places) {
  if (!places.schema) places.schema = std::make_unique<PostgresSchema>();
  return open_postgres(places.schema->options());
}

inline auto implementations() {
  return ::testing::Values(
      Implementation{"SqliteFile", [](Places& places) { return open_sqlite(places.folder.file()); }, true},
      Implementation{"Memory", [](Places&) { return open_sqlite(":memory:"); }, false},
      Implementation{"PostgreSQL", open_on_server, true});
}
inline std::string name_of(const ::testing::TestParamInfo<Implementation>& tested) { return tested.param.name; }

}  // namespace weir::storage::testing
