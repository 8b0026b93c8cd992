#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/http_json.h"
#include "collectors/json_pointer.h"

namespace weir::collectors {

using JsonNames = std::map<std::string, std::string, std::less<>>;

/// One thing that a request is about, and all that its texts may name.
struct JsonScope {
  const nlohmann::json& value;
  const std::vector<std::string>& stars;  // what each * of `items` stood for
  JsonNames labels;                       // with those of the requests around it
  JsonNames lets;                         // with those of the requests around it
  const JsonNames& variables;
  const std::map<std::string, JsonNames>& memory;  // what requests before remembered

  /// A label's, a `let`'s or a variable's text, a text of the item for {/pointer}, the gist of a stack trace for
  /// {trace /pointer}; the first that is not empty for {a|b}. Nothing for a name that is not known.
  std::optional<std::string> look_up(std::string_view name) const;
  /// The same with what comes from the item masked, for what a person reads.
  std::optional<std::string> look_up_masked(std::string_view name) const;

 private:
  std::optional<std::string> first_of(std::string_view names, bool masked) const;
  std::optional<std::string> one(std::string_view name, bool masked) const;
};

/// What is at the pointer, nullptr where nothing is.
const nlohmann::json* json_at(const nlohmann::json& root, const std::string& pointer);
/// The text there, "" where none is.
std::string json_text_at(const nlohmann::json& root, const std::string& pointer);

/// The text that a pointer or a {name} gives; nothing where there is no such thing.
std::optional<std::string> text_of(const std::string& from, const JsonScope& scope);
/// The text of a label or a `let`, "" where there is none.
std::string value_of(const JsonValue& value, const JsonScope& scope, core::Time now);
/// True when all hold.
bool holds(const JsonScope& scope, const std::vector<JsonCondition>& conditions);
/// The beginning of a text on one line.
std::string json_excerpt(std::string text);
/// The number that a metric makes of a value; nothing where it is not what the metric expects.
std::optional<double> number_of(const JsonMetric& metric, const nlohmann::json& value, core::Time now);

}  // namespace weir::collectors
