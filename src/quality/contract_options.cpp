#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>

#include "quality/contract_parts.h"

// The logicalTypeOptions of a property.
namespace weir::quality::contract {
namespace {

using config::MapReader;
using config::Node;

/// Formats of texts in the standard's words, as SodaCL names them or as expressions of their own.
struct TextFormat {
  std::string_view word;
  std::string_view soda;   // of `valid format`
  std::string_view regex;  // of `valid regex`
};
constexpr std::array kTextFormats = {
    TextFormat{"email", "email", ""},
    TextFormat{"uuid", "uuid", ""},
    TextFormat{"ipv4", "ipv4 address", ""},
    TextFormat{"ipv6", "ipv6 address", ""},
    TextFormat{"uri", "", "^[A-Za-z][A-Za-z0-9+.-]*:[^ ]+$"},
    TextFormat{"hostname", "", "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$"},
    TextFormat{"byte", "", "^[A-Za-z0-9+/]*={0,2}$"},
};

/// The whole numbers of a width, and their bounds as text: they may need more digits than a double has.
struct Width {
  std::string_view word;
  std::string_view least;
  std::string_view most;
};
constexpr std::array kWidths = {
    Width{"i8", "-128", "127"},
    Width{"i16", "-32768", "32767"},
    Width{"i32", "-2147483648", "2147483647"},
    Width{"i64", "-9223372036854775808", "9223372036854775807"},
    Width{"i128", "-170141183460469231731687303715884105728", "170141183460469231731687303715884105727"},
    Width{"u8", "0", "255"},
    Width{"u16", "0", "65535"},
    Width{"u32", "0", "4294967295"},
    Width{"u64", "0", "18446744073709551615"},
    Width{"u128", "0", "340282366920938463463374607431768211455"},
};

/// The parts of a JDK DateTimeFormatter pattern that are digits only.
struct DatePart {
  std::string_view letters;
  std::string_view regex;
};
constexpr std::array kDateParts = {
    DatePart{"yyyy", "[0-9]{4}"},
    DatePart{"MM", "(0[1-9]|1[0-2])"},
    DatePart{"dd", "(0[1-9]|[12][0-9]|3[01])"},
    DatePart{"HH", "([01][0-9]|2[0-3])"},
    DatePart{"mm", "[0-5][0-9]"},
    DatePart{"ss", "[0-5][0-9]"},
    DatePart{"SSSSSS", "[0-9]{6}"},
    DatePart{"SSS", "[0-9]{3}"},
    DatePart{"'T'", "T"},
    DatePart{"'Z'", "Z"},
};

/// An expression for the pattern, nullopt where it holds more than digits and separators.
std::optional<std::string> regex_of_date(std::string_view pattern) {
  std::string regex = "^";
  while (!pattern.empty()) {
    const auto part =
        std::ranges::find_if(kDateParts, [&](const DatePart& known) { return pattern.starts_with(known.letters); });
    if (part != kDateParts.end()) {
      regex += part->regex;
      pattern.remove_prefix(part->letters.size());
    } else if (std::string_view("-/: .,").find(pattern.front()) != std::string_view::npos) {
      regex += pattern.front() == '.' ? std::string("[.]") : std::string(1, pattern.front());
      pattern.remove_prefix(1);
    } else {
      return std::nullopt;
    }
  }
  return regex + "$";
}

bool is_text_type(std::string physical) {
  std::ranges::transform(physical, physical.begin(), [](unsigned char c) { return std::tolower(c); });
  return physical.find("char") != std::string::npos || physical.find("text") != std::string::npos ||
         physical.find("string") != std::string::npos;
}

std::string in_sql_quotes(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted.append(c == '\'' ? 2 : 1, c);
  return quoted + "'";
}

class OptionsReader {
 public:
  OptionsReader(const Node& node, const Scope& scope)
      : reader_(node, scope.diagnostics, fmt::format("logicalTypeOptions of \"{}\"", scope.column)),
        scope_(scope),
        name_(check_name(scope.column)),
        sql_(sql_name(scope.column)) {}

  void run() {
    const std::string& type = scope_.logical;
    if (type == "string") {
      read_text();
    } else if (type == "integer" || type == "number") {
      read_number();
    } else if (type == "date" || type == "timestamp" || type == "time") {
      read_time();
    } else if (type == "array" || type == "object") {
      refuse_nested();
    } else if (type.empty()) {
      reader_.error("", "they need the property's \"logicalType\"");
      return;
    }
    reader_.finish();
  }

 private:
  std::string describe(std::string_view key, std::string_view value) const {
    return fmt::format("{} {} {}", scope_.column, key, value);
  }

  void invalid(std::string_view key, const Node& at, std::string_view setting, Node value) {
    Extras extras;
    extras.name = describe(key, at.text());
    extras.settings.emplace_back(Node::scalar(std::string(setting), at.position()), std::move(value));
    scope_.checks.add(fmt::format("invalid_count({})", name_), kNone, std::move(extras), at.position());
  }

  /// Rows that satisfy the condition break the contract.
  void failed_rows(std::string_view key, const Node& at, const std::string& condition) {
    Extras extras;
    extras.name = describe(key, at.text());
    extras.settings.emplace_back(Node::scalar("fail condition", at.position()),
                                 Node::scalar(condition, at.position(), true));
    scope_.checks.add_block("failed rows", std::move(extras), at.position());
  }

  /// A number under `key`, as it is written.
  std::optional<std::string> number(std::string_view key) {
    const Node* node = reader_.child(key);
    return node == nullptr ? std::nullopt : number_text(*node, reader_, key);
  }

  void bound(std::string_view key, std::string_view setting) {
    if (const auto value = number(key)) invalid(key, *reader_.child(key), setting, literal(*value, key));
  }

  Node literal(const std::string& value, std::string_view key) {
    return Node::scalar(value, reader_.child(key)->position());
  }

  void read_text() {
    bound("minLength", "valid min length");
    bound("maxLength", "valid max length");
    if (const Node* pattern = reader_.child("pattern")) {
      if (text_of(reader_, "pattern").empty()) return reader_.error("pattern", "expected a regular expression");
      invalid("pattern", *pattern, "valid regex", Node::scalar(pattern->text(), pattern->position(), true));
    }
    const std::string word = text_of(reader_, "format");
    if (word.empty()) return;
    const Node& at = *reader_.child("format");
    if (word == "password" || word == "binary") {
      return scope_.diagnostics.hint(
          at.position(), fmt::format("format \"{}\" of \"{}\" says nothing that can be checked", word, scope_.column));
    }
    const auto known = std::ranges::find(kTextFormats, word, &TextFormat::word);
    if (known == kTextFormats.end()) {
      std::vector<std::string> words;
      for (const TextFormat& each : kTextFormats) words.emplace_back(each.word);
      return reader_.error("format", fmt::format("\"{}\" is not known{}; write a \"pattern\" for it", word,
                                                 config::did_you_mean(word, words)));
    }
    const bool named = !known->soda.empty();
    invalid("format", at, named ? "valid format" : "valid regex",
            Node::scalar(std::string(named ? known->soda : known->regex), at.position(), true));
  }

  void read_number() {
    bound("minimum", "valid min");
    bound("maximum", "valid max");
    // SodaCL has no bound that is excluded itself.
    for (const auto& [key, op] : {std::pair{"exclusiveMinimum", "<="}, std::pair{"exclusiveMaximum", ">="}}) {
      if (const auto value = number(key)) {
        failed_rows(key, *reader_.child(key), fmt::format("{} {} {}", sql_, op, *value));
      }
    }
    read_multiple();
    read_width();
  }

  void read_multiple() {
    const auto step = number("multipleOf");
    if (!step) return;
    const Node& at = *reader_.child("multipleOf");
    const double value = std::strtod(step->c_str(), nullptr);
    if (value <= 0) return reader_.error("multipleOf", "must be above 0");
    const bool digits = step->find_first_not_of("0123456789") == std::string::npos;
    if (scope_.logical == "integer" && digits)
      return failed_rows("multipleOf", at, fmt::format("{} % {} <> 0", sql_, *step));
    const std::string decimal = digits ? *step + ".0" : *step;
    failed_rows("multipleOf", at, fmt::format("{0} / {1} <> round({0} / {1})", sql_, decimal));
  }

  void read_width() {
    const std::string word = text_of(reader_, "format");
    if (word.empty()) return;
    const Node& at = *reader_.child("format");
    if (scope_.logical == "number") {
      if (word == "f64") return;  // every number of a database is one
      if (word == "f32") return failed_rows("format", at, fmt::format("abs({}) > 3.4028234663852886e38", sql_));
      return reader_.error("format", fmt::format("\"{}\" is neither f32 nor f64", word));
    }
    const auto known = std::ranges::find(kWidths, word, &Width::word);
    if (known == kWidths.end()) {
      std::vector<std::string> words;
      for (const Width& each : kWidths) words.emplace_back(each.word);
      return reader_.error("format", fmt::format("\"{}\" is none of {}", word, fmt::join(words, ", ")));
    }
    failed_rows("format", at, fmt::format("{0} < {1} OR {0} > {2}", sql_, known->least, known->most));
  }

  void read_time() {
    for (const auto& [key, op] : {std::pair{"minimum", "<"}, std::pair{"maximum", ">"},
                                  std::pair{"exclusiveMinimum", "<="}, std::pair{"exclusiveMaximum", ">="}}) {
      const std::string value = text_of(reader_, key);
      if (value.empty()) continue;
      failed_rows(key, *reader_.child(key), fmt::format("{} {} {}", sql_, op, in_sql_quotes(value)));
    }
    allow(reader_, {"defaultTimezone"});
    if (scope_.logical != "date" && reader_.has("timezone")) {
      flag_of(reader_, "timezone");
      const Node& at = *reader_.child("timezone");
      if (scope_.physical.empty()) {
        scope_.diagnostics.hint(at.position(),
                                fmt::format("whether \"{}\" has a time zone is checked by its \"physicalType\" "
                                            "only: add that",
                                            scope_.column));
      }
    }
    const std::string pattern = text_of(reader_, "format");
    if (pattern.empty() || !is_text_type(scope_.physical)) return;  // a real date has no format of its own
    const auto regex = regex_of_date(pattern);
    if (!regex) {
      return reader_.error("format", fmt::format("\"{}\" holds more than digits and separators; write a rule with a "
                                                 "\"pattern\" under \"quality\"",
                                                 pattern));
    }
    const Node& at = *reader_.child("format");
    invalid("format", at, "valid regex", Node::scalar(*regex, at.position(), true));
  }

  void refuse_nested() {
    for (const std::string_view key :
         {"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required"}) {
      if (reader_.has(key)) {
        reader_.error(key, "what is inside a column cannot be checked; write a rule of type sql under \"quality\"");
      }
    }
  }

  MapReader reader_;
  const Scope& scope_;
  const std::string name_;
  const std::string sql_;
};

}  // namespace

void read_options(const Node& options, const Scope& scope) { OptionsReader(options, scope).run(); }

}  // namespace weir::quality::contract
