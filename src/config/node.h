#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/diagnostics.h"
#include "core/error.h"

namespace weir::config {

/// A YAML value with its place in the file. A plain tree: no aliases left, keys of a mapping unique.
class Node {
 public:
  enum class Kind { null, scalar, sequence, mapping };
  using Entry = std::pair<Node, Node>;  // key (a scalar), value

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::null; }
  bool is_scalar() const { return kind_ == Kind::scalar; }
  bool is_sequence() const { return kind_ == Kind::sequence; }
  bool is_mapping() const { return kind_ == Kind::mapping; }
  /// "a mapping", "a list", "text", "nothing": for messages.
  std::string_view kind_name() const;

  const Position& position() const { return position_; }
  /// A scalar's text as written, without quotes; "" for other kinds.
  const std::string& text() const { return text_; }
  /// True for a scalar in quotes or a block: `"5"` is text, `5` may be a number.
  bool quoted() const { return quoted_; }
  const std::vector<Node>& items() const { return items_; }
  const std::vector<Entry>& entries() const { return entries_; }
  /// The value under `key`, or nullptr.
  const Node* find(std::string_view key) const;

  /// Values that no file holds as such: what a translation gives, each at the place of what it was made from.
  static Node nothing(Position position);
  static Node scalar(std::string text, Position position, bool quoted = false);
  static Node sequence(std::vector<Node> items, Position position);
  /// Of entries whose keys are scalars and differ.
  static Node mapping(std::vector<Entry> entries, Position position);
  /// True for those: the text is not what stands at the place.
  bool derived() const { return derived_; }

  /// The same kinds, texts and entries in the same order, wherever they stand and however they are quoted.
  bool same_content(const Node& other) const;

 private:
  friend class NodeBuilder;
  Kind kind_ = Kind::null;
  Position position_;
  std::string text_;
  bool quoted_ = false;
  bool derived_ = false;
  std::vector<Node> items_;
  std::vector<Entry> entries_;
};

struct YamlLimits {
  std::size_t bytes = 4U << 20U;
  std::size_t nodes = 200'000;  // after aliases are expanded
  std::size_t depth = 64;
};

/// Parses one YAML document. Syntax errors, duplicate keys and bounds reached go to `diagnostics`;
/// the returned tree is then what could be read, possibly null. A null root still names its file.
Node parse_yaml(const std::string& text, const std::string& file, Diagnostics& diagnostics,
                const YamlLimits& limits = {});

/// What may be read besides regular files. A pipe that nobody writes to would be waited for, a device has no end.
enum class Streams {
  none,
  own,  // what who started Weir gave it: /dev/stdin, and a shell's `<(…)`, which is /dev/fd/63
};

/// The text of a file, cut one byte past `most_bytes`, which shows that it is too large. Errors: not_found, "cannot be
/// read: " with the system's reason or what it is instead of a file.
core::Result<std::string> read_file(const std::string& file, std::size_t most_bytes = YamlLimits{}.bytes,
                                    Streams streams = Streams::none);

/// The first line of a secret's file, without its end. Errors: as read_file, a line of more than 1 MiB (limit).
core::Result<std::string> read_first_line(const std::string& file);

/// Reads and parses a file; one that cannot be read is a diagnostic.
Node load_yaml(const std::string& file, Diagnostics& diagnostics, Streams streams = Streams::none,
               const YamlLimits& limits = {});

/// A path as the file that holds the node names it: from that file's folder, unless it is absolute or empty.
std::string placed(const std::string& path, const Node& node);

/// YAML text that parse_yaml reads back as the same content: blocks, plain scalars where they are safe, texts of
/// several lines as literal blocks, texts that would read as something else in quotes.
std::string to_yaml(const Node& node);

}  // namespace weir::config
