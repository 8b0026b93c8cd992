#include <gtest/gtest.h>
#include <random>

#include "config/node.h"

namespace weir::config {
namespace {

Node parse(const std::string& text) {
  Diagnostics diagnostics;
  Node root = parse_yaml(text, "file.yml", diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string() << text;
  return root;
}

Node text(const std::string& value, bool quoted = false) { return Node::scalar(value, {}, quoted); }

TEST(NodeTextTest, DerivedNodesHaveTheGivenPlaces) {
  const Node key = Node::scalar("row_count > 0", {"contract.yml", 4, 9});
  const Node root = Node::mapping({{key, Node::nothing({"contract.yml", 4, 9})}}, {"contract.yml", 1, 1});
  EXPECT_EQ(root.position().to_string(), "contract.yml:1:1");
  EXPECT_EQ(root.entries()[0].first.position().to_string(), "contract.yml:4:9");
  EXPECT_TRUE(root.entries()[0].second.is_null());
  EXPECT_TRUE(root.derived());
  EXPECT_FALSE(parse("a: b").derived());
}

TEST(NodeTextTest, WritesBlocksListsAndLiterals) {
  const Node check =
      Node::mapping({{text("orders query"), text("SELECT 1\nFROM t")}, {text("name"), text("a: b")}}, {});
  const Node root = Node::mapping({{text("checks for t"), Node::sequence({text("row_count > 0"), check}, {})},
                                   {text("valid values"), Node::sequence({text("a"), text("5", true)}, {})}},
                                  {});
  EXPECT_EQ(to_yaml(root),
            "checks for t:\n"
            "  - row_count > 0\n"
            "  - orders query: |-\n"
            "      SELECT 1\n"
            "      FROM t\n"
            "    name: \"a: b\"\n"
            "valid values: [a, \"5\"]\n");
}

TEST(NodeTextTest, TextsThatYamlWouldTakeForOtherThingsComeBackAsText) {
  for (const std::string value :
       {"",      " ",    "null", "~",   "NULL", "true", "- a", "-",  "# no", "a # b", "a: b", "a:",     "&x",
        "*x",    "!tag", "{a}",  "[a]", "'a",   "\"a",  "%a",  "@a", "`a`",  "a\nb",  "\na",  " a\n b", "a\n\n",
        "a \nb", "a\tb", "\x01", "ü",   "a\\b", "|",    ">",   "?",  "? a",  "5",     "1e3"}) {
    for (const bool quoted : {false, true}) {
      const Node root = Node::mapping({{text("key"), text(value, quoted)}}, {});
      const Node back = parse(to_yaml(root));
      ASSERT_TRUE(back.same_content(root)) << to_yaml(root);
      const Node list = Node::sequence({text(value, quoted), text("b")}, {});
      ASSERT_TRUE(parse(to_yaml(list)).same_content(list)) << to_yaml(list);
      const Node as_key = Node::mapping({{text("k" + value, quoted), text("b")}}, {});
      ASSERT_TRUE(parse(to_yaml(as_key)).same_content(as_key)) << to_yaml(as_key);
    }
  }
}

TEST(NodeTextTest, AQuotedNumberStaysQuoted) {
  EXPECT_TRUE(parse(to_yaml(Node::sequence({text("5", true)}, {}))).items()[0].quoted());
  EXPECT_FALSE(parse(to_yaml(Node::sequence({text("5")}, {}))).items()[0].quoted());
}

class RandomTree {
 public:
  explicit RandomTree(unsigned seed) : random_(seed) {}

  Node tree(int depth) {
    const int kind = depth == 0 ? 0 : pick(4);
    if (kind <= 1) return pick(8) == 0 ? Node::nothing({}) : Node::scalar(word(), {}, pick(2) == 0);
    if (kind == 2) {
      std::vector<Node> items;
      for (int i = pick(4); i > 0; --i) items.push_back(tree(depth - 1));
      return Node::sequence(std::move(items), {});
    }
    std::vector<Node::Entry> entries;
    for (int i = pick(4); i > 0; --i)
      entries.emplace_back(Node::scalar(std::to_string(i) + word(), {}), tree(depth - 1));
    return Node::mapping(std::move(entries), {});
  }

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  std::string word() {
    static constexpr std::string_view kLetters = "ab5 :#-\n'\"[]{},&*!|>%@`?\\\t.";
    std::string made;
    for (int i = pick(8); i > 0; --i) made += kLetters[random_() % kLetters.size()];
    return made;
  }
  std::mt19937 random_;
};

TEST(NodeTextTest, AnyTreeReadsBackAsItWasWritten) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    RandomTree random(seed);
    const Node root = Node::mapping({{text("root"), random.tree(4)}}, {});
    const std::string yaml = to_yaml(root);
    ASSERT_TRUE(parse(yaml).same_content(root)) << "seed " << seed << "\n" << yaml;
  }
}

}  // namespace
}  // namespace weir::config
