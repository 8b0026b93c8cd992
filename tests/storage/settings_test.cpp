#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/store.h"

namespace weir::storage {
namespace {

using ::testing::HasSubstr;

StorageSettings parse(const std::string& yaml, config::Diagnostics& diagnostics) {
  return parse_storage_section(config::parse_yaml(yaml, "weir.yml", diagnostics), diagnostics);
}

TEST(StorageSection, HasDefaults) {
  config::Diagnostics diagnostics;
  const StorageSettings settings = parse("", diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  EXPECT_EQ(settings.path, "weir.db");
  EXPECT_EQ(settings.history, std::chrono::days(400));
}

TEST(StorageSection, ReadsItsKeys) {
  config::Diagnostics diagnostics;
  const StorageSettings settings = parse("{path: /var/lib/weir/weir.db, history: 30d}", diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  EXPECT_EQ(settings.path, "/var/lib/weir/weir.db");
  EXPECT_EQ(settings.history, std::chrono::days(30));
}

TEST(StorageSection, NamesEveryMistakeWithItsPlace) {
  config::Diagnostics diagnostics;
  (void)parse("path: ''\nhistory: 5m\npth: x\n", diagnostics);
  const std::string all = diagnostics.to_string();
  EXPECT_THAT(all, HasSubstr("weir.yml:1:7: storage: \"path\": must not be empty"));
  EXPECT_THAT(all, HasSubstr("weir.yml:2:10: storage: \"history\": must be at least 1d"));
  EXPECT_THAT(all, HasSubstr("weir.yml:3:1: storage: unknown key \"pth\" (did you mean \"path\"?)"));
}

}  // namespace
}  // namespace weir::storage
