#include "config/node.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace weir::config {
namespace {

class NodeTest : public testing::Test {
 protected:
  Node parse(const std::string& text, const YamlLimits& limits = {}) {
    return parse_yaml(text, "weir.yml", diagnostics_, limits);
  }
  std::string mistakes() const { return diagnostics_.to_string(); }
  Diagnostics diagnostics_;
};

TEST_F(NodeTest, ReadsATreeWithPlaces) {
  const Node root = parse("listen: 127.0.0.1:9877\nkafka:\n  - name: prod\n    brokers: \"a:1\"\n");
  ASSERT_TRUE(diagnostics_.ok()) << mistakes();
  EXPECT_EQ(root.find("listen")->text(), "127.0.0.1:9877");
  const Node& cluster = root.find("kafka")->items().at(0);
  EXPECT_EQ(cluster.find("brokers")->position().to_string(), "weir.yml:4:14");
  EXPECT_TRUE(cluster.find("brokers")->quoted());
  EXPECT_FALSE(cluster.find("name")->quoted());
  EXPECT_EQ(root.find("none"), nullptr);
}

TEST_F(NodeTest, SyntaxErrorsHaveLineAndColumn) {
  parse("kafka:\n  - name: [a\n");
  ASSERT_EQ(diagnostics_.errors().size(), 1U);
  EXPECT_TRUE(mistakes().starts_with("weir.yml:3:")) << mistakes();
}

TEST_F(NodeTest, WhatIsNoTextIsAnErrorAtItsPlace) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a: \xff\n", "f.yml:1:4: the file is not UTF-8 here"},
      {"a: b\nü: \xc3(", "f.yml:2:4: the file is not UTF-8 here"},
      {"a: \xed\xa0\x80", "f.yml:1:4: the file is not UTF-8 here"},
      {"a: \xc0\xaf", "f.yml:1:4: the file is not UTF-8 here"},
      {"a: \xf5\x80\x80\x80", "f.yml:1:4: the file is not UTF-8 here"},
      {"a: \xe2\x82", "f.yml:1:4: the file is not UTF-8 here"},
      {std::string("a: b\0c", 6), "f.yml:1:5: the file holds a NUL byte: it is no text"},
      {"a: [\"x\\0y\"]", "f.yml:1:5: the text holds a NUL character"},
  };
  for (const auto& [text, expected] : cases) {
    Diagnostics diagnostics;
    parse_yaml(text, "f.yml", diagnostics);
    EXPECT_NE(diagnostics.to_string().find(expected), std::string::npos) << text << diagnostics.to_string();
  }
  Diagnostics diagnostics;
  EXPECT_EQ(parse_yaml("a: é€😀\xed\x9f\xbf\xee\x80\x80\n", "f.yml", diagnostics).find("a")->text(),
            "é€😀\xed\x9f\xbf\xee\x80\x80");
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
}

TEST_F(NodeTest, ATabIsAnErrorWithItsPlace) {
  for (const std::string text : {"kafka:\n\t- name: a\n", "kafka:\n  \t- name: a\n", "kafka:\n\tname: a\n"}) {
    diagnostics_ = {};
    parse(text);
    ASSERT_EQ(diagnostics_.errors().size(), 1U) << text;
    EXPECT_TRUE(mistakes().starts_with("weir.yml:2:")) << mistakes();
    EXPECT_NE(mistakes().find("the line is indented by a tab; YAML wants spaces"), std::string::npos) << mistakes();
  }
}

TEST_F(NodeTest, ATabElsewhereIsNotBlamed) {
  parse("a: [b,\tc\n");
  ASSERT_FALSE(diagnostics_.ok());
  EXPECT_EQ(mistakes().find("tab"), std::string::npos) << mistakes();
}

TEST_F(NodeTest, AKeyGivenTwiceIsAnErrorAtTheSecond) {
  const Node root = parse("listen: a\nother: b\nlisten: c\n");
  EXPECT_EQ(mistakes(), "weir.yml:3:1: key \"listen\" is given twice\n");
  EXPECT_EQ(root.find("listen")->text(), "a");
}

TEST_F(NodeTest, AliasesAreExpanded) {
  const Node root = parse("base: &b {x: 1}\ncopy: *b\n");
  ASSERT_TRUE(diagnostics_.ok()) << mistakes();
  EXPECT_EQ(root.find("copy")->find("x")->text(), "1");
}

TEST_F(NodeTest, AnAliasBombIsStoppedEarly) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += before + (j < 9 ? "," : "]\n");
  }
  parse(bomb);
  ASSERT_EQ(diagnostics_.errors().size(), 1U) << mistakes();
  EXPECT_NE(mistakes().find("more than 200000 values"), std::string::npos) << mistakes();
}

TEST_F(NodeTest, ATreeThatContainsItselfIsStopped) {
  parse("a: &a\n  b: *a\n");
  EXPECT_FALSE(diagnostics_.ok());
}

TEST_F(NodeTest, DeepNestingIsStopped) {
  parse(std::string(200, '[') + std::string(200, ']'));
  EXPECT_NE(mistakes().find("nested deeper than 64"), std::string::npos) << mistakes();
}

TEST_F(NodeTest, NestingPastTheParsersOwnDepthIsNamedToo) {
  for (const char opener : {'[', '{'}) {
    diagnostics_ = {};
    parse(std::string(100'000, opener));
    EXPECT_NE(mistakes().find("YAML: nested too deeply"), std::string::npos) << mistakes();
  }
}

TEST_F(NodeTest, AFileThatIsTooLargeIsNotParsed) {
  parse("a: " + std::string(100, 'x'), {.bytes = 50});
  EXPECT_NE(mistakes().find("larger than 50 bytes"), std::string::npos);
}

TEST_F(NodeTest, MoreThanOneDocumentIsAnError) {
  parse("a: 1\n---\nb: 2\n");
  EXPECT_NE(mistakes().find("more than one YAML document"), std::string::npos) << mistakes();
}

TEST_F(NodeTest, TextThatBeginsWithACommaEnds) {
  parse(",a: b\n");
  EXPECT_FALSE(diagnostics_.ok());
}

TEST_F(NodeTest, AKeyMustBePlainText) {
  parse("[a, b]: 1\n");
  EXPECT_NE(mistakes().find("a key must be plain text"), std::string::npos) << mistakes();
}

TEST_F(NodeTest, AnEmptyFileIsNothing) {
  EXPECT_TRUE(parse("").is_null());
  EXPECT_TRUE(parse("# only a comment\n").is_null());
  EXPECT_EQ(parse("").position().to_string(), "weir.yml");
  EXPECT_TRUE(diagnostics_.ok());
}

TEST_F(NodeTest, BytesThatAreNoYamlAreAnErrorNotACrash) {
  for (const std::string& text : {std::string("a: \"\\xzz\""), std::string("*unknown"), std::string("%YAML 9\n---\n!!"),
                                  std::string("a: 'x"), std::string("{"), std::string(1000, '{'), std::string("? ")}) {
    diagnostics_ = {};
    parse(text);
    EXPECT_FALSE(diagnostics_.ok()) << text;
  }
  EXPECT_TRUE(parse(std::string("\xff\xfe\x00", 3)).is_null()) << "nothing, in UTF-16";
}

TEST_F(NodeTest, AMissingFileOrAFolderIsNamed) {
  load_yaml("/none/weir.yml", diagnostics_);
  EXPECT_EQ(mistakes(), "/none/weir.yml: cannot be read: No such file or directory\n");
  diagnostics_ = {};
  load_yaml(testing::TempDir(), diagnostics_);
  EXPECT_NE(mistakes().find("cannot be read: it is a directory, not a file"), std::string::npos) << mistakes();
}

TEST_F(NodeTest, APipeOrADeviceIsNamedAndNotWaitedFor) {
  const std::string pipe = testing::TempDir() + "/weir_pipe_" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_file(pipe).error().message, "cannot be read: it is a pipe, not a file");
  EXPECT_EQ(read_file(pipe, 10, Streams::own).error().message, "cannot be read: it is a pipe, not a file")
      << "that is nobody's to write to";
  EXPECT_EQ(read_first_line(pipe).error().message, "cannot be read: it is a pipe, not a file");
  EXPECT_EQ(read_file("/dev/zero").error().message, "cannot be read: it is a device, not a file");
  std::filesystem::remove(pipe);
}

TEST_F(NodeTest, WhatAShellHandsOverIsReadWhereItIsAskedFor) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ASSERT_EQ(::write(ends[1], "a: 1\n", 5), 5);
  ::close(ends[1]);
  const std::string name = "/dev/fd/" + std::to_string(ends[0]);
  EXPECT_EQ(read_file(name).error().message, "cannot be read: it is a pipe, not a file");
  EXPECT_EQ(load_yaml(name, diagnostics_, Streams::own).find("a")->text(), "1");
  ::close(ends[0]);
}

TEST_F(NodeTest, AFileIsReadUpToItsBound) {
  const std::string file = testing::TempDir() + "/weir_long_" + std::to_string(::getpid());
  std::ofstream(file) << std::string(200'000, 'x');
  EXPECT_EQ(read_file(file)->size(), 200'000U);
  EXPECT_EQ(read_file(file, 100'000)->size(), 100'001U);
  std::filesystem::remove(file);
}

TEST_F(NodeTest, ReadsAFile) {
  const std::string file = testing::TempDir() + "/weir_node_" + std::to_string(::getpid()) + ".yml";
  std::ofstream(file) << "a: 1\n";
  EXPECT_EQ(load_yaml(file, diagnostics_).find("a")->position().to_string(), file + ":1:4");
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace weir::config
