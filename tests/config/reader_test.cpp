#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

#include "config/reader_checks.h"

namespace weir::config {
namespace {

using namespace std::chrono_literals;

class ReaderTest : public testing::Test {
 protected:
  MapReader reader(const std::string& yaml) {
    node_ = parse_yaml(yaml, "weir.yml", diagnostics_);
    return {node_, diagnostics_, "cluster \"prod\""};
  }
  std::string mistakes() const { return diagnostics_.to_string(); }
  Node node_;
  Diagnostics diagnostics_;
};

TEST_F(ReaderTest, ReadsEveryType) {
  MapReader map = reader(
      "{name: prod, interval: 1m30s, port: 9092, ratio: 0.5, on: yes, list: [a, b], one: c, map: {k: v}, level: warn}");
  EXPECT_EQ(map.required_text("name"), "prod");
  EXPECT_EQ(map.duration("interval", 0s), 90s);
  EXPECT_EQ(map.integer("port", 0, 1, 65535), 9092);
  EXPECT_EQ(map.number("ratio", 0), 0.5);
  EXPECT_TRUE(map.boolean("on", false));
  EXPECT_EQ(map.text_list("list"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(map.text_list("one"), (std::vector<std::string>{"c"}));
  EXPECT_EQ(map.text_map("map"), (std::vector<std::pair<std::string, std::string>>{{"k", "v"}}));
  EXPECT_EQ(map.choice("level", "info", {"info", "warn"}), "warn");
  map.finish();
  EXPECT_TRUE(diagnostics_.ok()) << mistakes();
}

TEST_F(ReaderTest, WhatIsAbsentIsTheDefault) {
  MapReader map = reader("{name: }");
  EXPECT_EQ(map.text("name", "x"), "x");
  EXPECT_EQ(map.duration("interval", 15s), 15s);
  EXPECT_EQ(map.integer("port", 5, 1, 9), 5);
  EXPECT_TRUE(map.text_list("list").empty());
  EXPECT_TRUE(map.secret("password").empty());
  map.finish();
  EXPECT_TRUE(diagnostics_.ok()) << mistakes();
}

TEST_F(ReaderTest, EveryMistakeIsReportedAtItsPlace) {
  MapReader map = reader("interval: soon\nport: 70000\nratio: x\non: maybe\nname: [a]\nlevel: warm\n");
  EXPECT_EQ(map.duration("interval", 15s), 15s);
  EXPECT_EQ(map.integer("port", 1, 1, 65535), 1);
  EXPECT_EQ(map.number("ratio", 2), 2);
  EXPECT_FALSE(map.boolean("on", false));
  EXPECT_EQ(map.text("name"), "");
  EXPECT_EQ(map.choice("level", "info", {"info", "warn"}), "info");
  map.required_text("brokers");
  const std::string text = mistakes();
  for (const char* words :
       {"weir.yml:1:11: cluster \"prod\": \"interval\": \"soon\" is not a duration",
        "weir.yml:2:7: cluster \"prod\": \"port\": \"70000\" is not a whole number from 1 to 65535",
        "weir.yml:3:8:", "weir.yml:4:5:", "weir.yml:5:7: cluster \"prod\": \"name\": expected one value, found a list",
        "weir.yml:6:8: cluster \"prod\": \"level\": \"warm\" is not one of info, warn (did you mean \"warn\"?)",
        "key \"brokers\" is missing"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  }
}

TEST_F(ReaderTest, UnknownKeysAreNamedWithASuggestion) {
  MapReader map = reader("tresholds: 5\nxyz: 1\n");
  map.integer("threshold", 0, 0, 9);
  map.finish();
  EXPECT_EQ(mistakes(),
            "weir.yml:1:1: cluster \"prod\": unknown key \"tresholds\" (did you mean \"threshold\"?)\n"
            "weir.yml:2:1: cluster \"prod\": unknown key \"xyz\"\n");
}

TEST_F(ReaderTest, ANodeThatIsNoMappingIsOneMistakeAndReadsAsEmpty) {
  MapReader map = reader("[a, b]");
  EXPECT_EQ(map.text("name", "x"), "x");
  EXPECT_EQ(map.required_text("brokers"), "");
  map.missing("url");
  map.finish();
  EXPECT_EQ(mistakes(), "weir.yml:1:1: cluster \"prod\": expected a mapping of keys to values, found a list\n");
}

TEST_F(ReaderTest, AMisspeltKeyIsNotMissingToo) {
  MapReader map = reader("{ur: x, nam: y, other: z}");
  map.missing("url", "\"url\" is missing; give it here");
  map.required_text("name");
  map.required_text("brokers");
  map.finish();
  EXPECT_EQ(mistakes(),
            "weir.yml:1:1: cluster \"prod\": key \"brokers\" is missing\n"
            "weir.yml:1:2: cluster \"prod\": unknown key \"ur\" (did you mean \"url\"?)\n"
            "weir.yml:1:9: cluster \"prod\": unknown key \"nam\" (did you mean \"name\"?)\n"
            "weir.yml:1:17: cluster \"prod\": unknown key \"other\"\n");
}

TEST_F(ReaderTest, NumbersOutOfRangeAreNotWrapped) {
  MapReader map = reader("{a: 9223372036854775808, b: -1, c: 1e3, d: 0x10, e: ' 5'}");
  for (const char* key : {"a", "b", "c", "d", "e"}) EXPECT_EQ(map.integer(key, 7, 0, INT64_MAX), 7) << key;
  EXPECT_EQ(diagnostics_.errors().size(), 5U) << mistakes();
  MapReader spans = reader("{a: 36525d, b: 36526d, c: 99999999999d}");
  EXPECT_EQ(spans.duration("a", 1s), std::chrono::days(36'525));
  EXPECT_EQ(spans.duration("b", 1s), 1s);
  EXPECT_EQ(spans.duration("c", 1s), 1s);
  EXPECT_NE(mistakes().find("\"c\": must be at most 100 years"), std::string::npos) << mistakes();
}

TEST_F(ReaderTest, TheEnvironmentIsExpandedAndAnUnsetVariableIsAMistake) {
  ::setenv("WEIR_TEST_VALUE", "secret:$x", 1);
  ::unsetenv("WEIR_TEST_UNSET");
  MapReader map = reader(
      "a: \"<${WEIR_TEST_VALUE}>\"\nb: \"$${WEIR_TEST_VALUE}\"\nc: \"${WEIR_TEST_UNSET}\"\ne: \"$5 "
      "${WEIR_TEST_VALUE}${WEIR_TEST_VALUE}\"\n");
  EXPECT_EQ(map.text("a"), "<secret:$x>");
  EXPECT_EQ(map.text("b"), "${WEIR_TEST_VALUE}");
  EXPECT_EQ(map.text("e"), "$5 secret:$xsecret:$x");
  EXPECT_TRUE(diagnostics_.ok()) << mistakes();
  EXPECT_EQ(map.text("c"), "");
  EXPECT_EQ(mistakes(), "weir.yml:3:4: environment variable \"WEIR_TEST_UNSET\" is not set\n");
  EXPECT_EQ(map.required_text("c"), "");
  EXPECT_EQ(diagnostics_.errors().size(), 2U) << "one more, and not that it is empty: " << mistakes();
}

TEST_F(ReaderTest, AMessageShowsAVariableAsItIsWrittenSinceItMayBeASecretElsewhere) {
  ::setenv("WEIR_TEST_VALUE", "hunter22", 1);
  ::setenv("WEIR_TEST_SHORT", "x", 1);
  MapReader map = reader(
      "a: \"<${WEIR_TEST_VALUE}>\"\nb: \"${WEIR_TEST_VALUE}\"\nc: \"${WEIR_TEST_SHORT}\"\nd: \"${WEIR_TEST_VALUE}\"\n");
  map.choice("a", "", {"one"});
  map.integer("b", 0, 0, 9);
  map.boolean("c", false);
  map.duration("d", {});
  const std::string said = mistakes();
  EXPECT_NE(said.find("weir.yml:1:4: cluster \"prod\": \"a\": \"<${WEIR_TEST_VALUE}>\" is not one of one\n"),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("\"b\": \"${WEIR_TEST_VALUE}\" is not a whole number"), std::string::npos) << said;
  EXPECT_NE(said.find("\"c\": \"${WEIR_TEST_SHORT}\" is neither true nor false"), std::string::npos) << said;
  EXPECT_EQ(diagnostics_.errors().size(), 4U) << said;
  EXPECT_EQ(said.find("hunter"), std::string::npos) << said;
}

TEST_F(ReaderTest, SoDoesAMistakeThatIsNotedWithoutTheReader) {
  ::setenv("WEIR_TEST_VALUE", "hunter22", 1);
  MapReader map = reader("a: \"${WEIR_TEST_VALUE}\"\nb: 1\n");
  const std::string value = map.text("a");
  diagnostics_.error(node_.position(), "the name \"" + value + "\" is given twice");
  diagnostics_.hint(node_.position(), "no file matches " + value);
  map.error("b", "is not " + value);
  EXPECT_EQ(mistakes(),
            "weir.yml:1:1: the name \"${WEIR_TEST_VALUE}\" is given twice\n"
            "weir.yml:2:4: cluster \"prod\": \"b\": is not ${WEIR_TEST_VALUE}\n");
  EXPECT_EQ(diagnostics_.hints()[0].message, "no file matches ${WEIR_TEST_VALUE}");
}

TEST_F(ReaderTest, AShortValueIsShownAsWrittenWhereItIsAWordOfItsOwn) {
  ::setenv("WEIR_TEST_VALUE", "prod", 1);
  MapReader map = reader("a: \"${WEIR_TEST_VALUE}\"\nb: \"x${WEIR_TEST_VALUE}${WEIR_TEST_VALUE}\"\nc: 1\n");
  const std::string value = map.text("a");
  map.error("b", "\"" + map.text("b") + "\" is none");
  map.error("c", "there is no \"prodd\" (did you mean \"" + value + "\"?)");
  EXPECT_EQ(mistakes(),
            "weir.yml:2:4: cluster \"${WEIR_TEST_VALUE}\": \"b\": \"x${WEIR_TEST_VALUE}${WEIR_TEST_VALUE}\" is none\n"
            "weir.yml:3:4: cluster \"${WEIR_TEST_VALUE}\": \"c\": there is no \"prodd\" (did you mean "
            "\"${WEIR_TEST_VALUE}\"?)\n");
}

TEST_F(ReaderTest, ASecretsFileIsNamedFromTheFolderOfTheConfiguration) {
  const std::string folder = testing::TempDir() + "/weir_secrets_" + std::to_string(::getpid());
  std::filesystem::create_directories(folder + "/folder");
  std::ofstream(folder + "/secret") << "hunter2";
  node_ =
      parse_yaml("{password_file: secret, token_file: folder, key_file: sekret}", folder + "/weir.yml", diagnostics_);
  MapReader map(node_, diagnostics_, "cluster");
  EXPECT_EQ(map.secret("password").reveal(), "hunter2");
  map.secret("token");
  map.secret("key");
  const std::string said = mistakes();
  EXPECT_NE(said.find("/folder\" cannot be read: it is a directory, not a file"), std::string::npos) << said;
  EXPECT_NE(said.find("/sekret\" cannot be read: No such file"), std::string::npos) << said;
  std::filesystem::remove_all(folder);
}

TEST_F(ReaderTest, AFileThatIsUsedLaterMustBeOne) {
  MapReader map = reader("{ca_file: /etc, cert_file: /none.pem, key_file: /dev/zero, other_file: /etc/hosts}");
  EXPECT_EQ(file_path(map, "other_file"), "/etc/hosts");
  EXPECT_EQ(file_path(map, "absent"), "");
  for (const char* key : {"ca_file", "cert_file", "key_file"}) file_path(map, key);
  EXPECT_EQ(mistakes(),
            "weir.yml:1:11: cluster \"prod\": \"ca_file\": \"/etc\" is a directory; name a file\n"
            "weir.yml:1:28: cluster \"prod\": \"cert_file\": there is no file \"/none.pem\"\n"
            "weir.yml:1:49: cluster \"prod\": \"key_file\": \"/dev/zero\" is no file\n");
}

TEST_F(ReaderTest, ASecretThatIsTooShortToBeMaskedIsNoted) {
  MapReader map = reader("{password: abc, token: abcd, other: a, empty: ''}");
  EXPECT_EQ(map.secret("password").reveal(), "abc");
  map.secret("token");
  map.secret("empty");
  map.secret("other");
  ASSERT_EQ(diagnostics_.hints().size(), 1U);
  EXPECT_EQ(
      diagnostics_.hints()[0].to_string(),
      "weir.yml:1:12: cluster \"prod\": \"password\" has fewer than 4 characters: what a server says may show it; "
      "take a longer one");
  EXPECT_TRUE(diagnostics_.ok()) << mistakes();
}

TEST_F(ReaderTest, ASecretThatMustBeThereIsNotEmpty) {
  MapReader map = reader("{password: s3cr3t, token: ''}");
  EXPECT_EQ(required_secret(map, "password").reveal(), "s3cr3t");
  required_secret(map, "token");
  required_secret(map, "key");
  EXPECT_EQ(mistakes(),
            "weir.yml:1:1: cluster \"prod\": key \"key\" is missing\n"
            "weir.yml:1:27: cluster \"prod\": \"token\": must not be empty\n");
}

TEST_F(ReaderTest, AVariableThatIsNotClosedOrHasNoNameIsAMistake) {
  ::setenv("WEIR_TEST_VALUE", "x", 1);
  MapReader map = reader("a: \"${FOO\"\nb: \"${}\"\nc: \"$${open\"\nd: \"${WEIR_TEST_VALUE} ${\"\n");
  map.text("a");
  map.text("b");
  EXPECT_EQ(map.text("c"), "${open");
  map.text("d");
  EXPECT_EQ(mistakes(),
            "weir.yml:1:4: unclosed ${: write ${NAME}, or $${ for these two characters themselves\n"
            "weir.yml:2:4: ${} names no variable\n"
            "weir.yml:4:4: unclosed ${: write ${NAME}, or $${ for these two characters themselves\n");
}

TEST_F(ReaderTest, ASecretComesFromTheKeyOrAFileAndIsNeverShown) {
  const std::string file = testing::TempDir() + "/weir_secret_" + std::to_string(::getpid());
  std::ofstream(file) << "hunter2\r\nsecond line\n";
  MapReader map =
      reader("{password: direct, token_file: " + file + ", both: hunter3, both_file: " + file + ", gone_file: /none}");
  EXPECT_EQ(map.secret("password").reveal(), "direct");
  EXPECT_EQ(map.secret("token").reveal(), "hunter2");
  EXPECT_TRUE(map.secret("both").empty());
  EXPECT_TRUE(map.secret("gone").empty());
  map.finish();
  EXPECT_EQ(diagnostics_.errors().size(), 2U) << mistakes();
  EXPECT_EQ(mistakes().find("hunter"), std::string::npos) << mistakes();
  std::filesystem::remove(file);
}

TEST_F(ReaderTest, ASecretsFileIsBesideTheFileThatNamesIt) {
  const std::string name = "weir_secret_beside_" + std::to_string(::getpid());
  std::ofstream(testing::TempDir() + "/" + name) << "hunter2\n";
  Diagnostics diagnostics;
  const Node node = parse_yaml("token_file: " + name, testing::TempDir() + "/weir.yml", diagnostics);
  MapReader map(node, diagnostics, "receiver");
  EXPECT_EQ(map.secret("token").reveal(), "hunter2");
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  std::filesystem::remove(testing::TempDir() + "/" + name);
}

TEST(DiagnosticsTest, AreShownInTheOrderOfTheFiles) {
  Diagnostics diagnostics;
  diagnostics.error({"weir.yml", 9, 1}, "d");
  diagnostics.error({"weir.yml", 2, 7}, "c");
  diagnostics.error({"weir.yml", 2, 5}, "b");
  diagnostics.error({"rules.yml", 12, 5}, "a");
  diagnostics.error({"weir.yml", 9, 1}, "e");
  EXPECT_EQ(diagnostics.to_string(),
            "rules.yml:12:5: a\nweir.yml:2:5: b\nweir.yml:2:7: c\nweir.yml:9:1: d\nweir.yml:9:1: e\n");
}

TEST(DidYouMeanTest, SuggestsOnlyWhatIsClose) {
  const std::vector<std::string> words{"topics", "groups", "interval"};
  EXPECT_EQ(did_you_mean("topic", words), " (did you mean \"topics\"?)");
  EXPECT_EQ(did_you_mean("gruops", words), " (did you mean \"groups\"?)");
  EXPECT_EQ(did_you_mean("itnervla", words), " (did you mean \"interval\"?)");
  EXPECT_EQ(did_you_mean("password", words), "");
  EXPECT_EQ(did_you_mean("email_configs", std::vector<std::string>{"slack_configs"}), "");
  EXPECT_EQ(did_you_mean("x", std::vector<std::string>{"y"}), "");
  EXPECT_EQ(did_you_mean(std::string(10'000, 'x'), words), "");
}

TEST(PositionTest, LeavesOutWhatIsUnknown) {
  EXPECT_EQ((Position{"a.yml", 3, 7}).to_string(), "a.yml:3:7");
  EXPECT_EQ((Position{"a.yml", 3, 0}).to_string(), "a.yml:3");
  EXPECT_EQ((Position{"a.yml", 0, 5}).to_string(), "a.yml");
}

}  // namespace
}  // namespace weir::config
