#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/labels.h"
#include "core/secret.h"
#include "core/time.h"

namespace weir::config {

/// Reads one mapping key by key. Every getter remembers its key, so that `finish()` can name the keys
/// nobody asked for, with a suggestion. Mistakes go to the diagnostics and the getter returns its
/// default: reading goes on.
///
///     MapReader reader(node, diagnostics, "kafka cluster");
///     settings.name = reader.required_text("name");
///     settings.timeout = reader.duration("timeout", 10s);
///     reader.finish();
class MapReader {
 public:
  /// `what` names the thing in messages: `rule "KafkaConsumerLagHigh"`. A node that is no mapping is an
  /// error at once (null reads as an empty mapping); all getters then give defaults, and nothing more is
  /// said of this node.
  MapReader(const Node& node, Diagnostics& diagnostics, std::string what);

  bool has(std::string_view key);
  /// The value under the key, null values included; nullptr when absent.
  const Node* child(std::string_view key);
  /// The items of a list; a single scalar or mapping where a list is expected counts as a list of one.
  std::vector<const Node*> list(std::string_view key);

  std::string text(std::string_view key, std::string fallback = {});
  std::string required_text(std::string_view key);
  std::vector<std::string> text_list(std::string_view key);
  core::Duration duration(std::string_view key, core::Duration fallback);
  std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t least, std::int64_t most);
  double number(std::string_view key, double fallback);
  bool boolean(std::string_view key, bool fallback);
  /// A mapping of text to text, in file order.
  std::vector<std::pair<std::string, std::string>> text_map(std::string_view key);
  /// One of `choices`; anything else is an error that lists them.
  std::string choice(std::string_view key, std::string fallback, const std::vector<std::string>& choices);
  /// The secret under `key`, or the first line of the file under `<key>_file`, whose path is from the folder of the
  /// file that names it; both is an error.
  core::Secret secret(std::string_view key);

  /// Notes that a key is absent which must be there: `key "url" is missing` unless `message` says it better.
  /// `finish()` takes it back where a misspelt key is the cause.
  void missing(std::string_view key, const std::string& message = {});
  /// The same where any one of several keys would do.
  void missing(std::initializer_list<std::string_view> keys, const std::string& message);
  void error(std::string_view key, const std::string& message);
  void error(const Node& node, const std::string& message);
  const std::string& what() const { return what_; }
  Diagnostics& diagnostics() { return diagnostics_; }

  /// Whether any getter was given this key.
  bool asked(std::string_view key) const;
  /// Reports each key that was never asked for.
  void finish();

 private:
  const Node* scalar(std::string_view key);

  const Node& node_;
  Diagnostics& diagnostics_;
  std::string what_;
  std::vector<std::string> asked_;
  std::vector<std::pair<std::string, std::string>> missing_;  // key, message
};

/// A scalar's text with `${NAME}` replaced from the environment (`$${` is a literal `${`). An unset
/// variable, an unclosed `${` and `${}` are diagnostics. Used for weir.yml only: rule and check files have `$` of their
/// own.
std::string expand_environment(const Node& scalar, Diagnostics& diagnostics);

}  // namespace weir::config
