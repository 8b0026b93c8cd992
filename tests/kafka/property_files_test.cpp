#include "kafka/property_files.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::kafka {
namespace {

using testing::HasSubstr;

class PropertyFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("property_files_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::create_directories(folder_);
    password_ = (folder_ / "password").string();
    certificate_ = (folder_ / "ca.pem").string();
    write(password_, "hunter2\n");
    write(certificate_, "certificate");
    settings_.properties = {{"sasl.password", core::Secret("as parsed")},
                            {"ssl.ca.location", core::Secret(certificate_)},
                            {"sasl.username", core::Secret("weir")}};
    settings_.property_files = {{"sasl.password", password_}};
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

  std::filesystem::path folder_;
  std::string password_;
  std::string certificate_;
  ClusterSettings settings_;
};

TEST_F(PropertyFilesTest, NothingChangesByItself) {
  PropertyFiles files(settings_);
  EXPECT_FALSE(files.changed());
  EXPECT_FALSE(files.changed());
}

TEST_F(PropertyFilesTest, AFileThatIsWrittenToHasChangedOnce) {
  PropertyFiles files(settings_);
  write(password_, "correct horse\n");
  EXPECT_TRUE(files.changed());
  EXPECT_EQ(files.names(), "\"" + password_ + "\"");
  EXPECT_FALSE(files.changed());
  const auto read = files.read(settings_);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->properties[0].second.reveal(), "correct horse");
  EXPECT_EQ(read->properties[2].second.reveal(), "weir");
}

TEST_F(PropertyFilesTest, ACertificateThatIsReplacedByOneOfTheSameSizeAndTimeHasChanged) {
  PropertyFiles files(settings_);
  const auto time = std::filesystem::last_write_time(certificate_);
  write(certificate_ + ".new", "CERTIFICATE");
  std::filesystem::last_write_time(certificate_ + ".new", time);
  std::filesystem::rename(certificate_ + ".new", certificate_);
  EXPECT_TRUE(files.changed());
  EXPECT_EQ(files.names(), "\"" + certificate_ + "\"");
}

TEST_F(PropertyFilesTest, AFileThatIsGoneHasChangedAndSoHasOneThatIsBack) {
  PropertyFiles files(settings_);
  std::filesystem::remove(password_);
  EXPECT_TRUE(files.changed());
  const auto gone = files.read(settings_);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, core::ErrorKind::invalid);
  EXPECT_THAT(gone.error().message,
              HasSubstr("sasl.password_file: \"" + password_ + "\" cannot be read: No such file"));
  write(password_, "");
  EXPECT_TRUE(files.changed());
  EXPECT_THAT(files.read(settings_).error().message, HasSubstr(password_ + "\" is empty"));
  write(password_, "back\r\n");
  EXPECT_TRUE(files.changed());
  EXPECT_EQ(files.read(settings_)->properties[0].second.reveal(), "back");
}

}  // namespace
}  // namespace weir::kafka
