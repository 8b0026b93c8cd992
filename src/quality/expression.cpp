#include "quality/expression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

namespace weir::quality {
namespace {

constexpr int kMostLoads = 1000;

/// Seconds of "1h30m", "90s", "1d12" (twelve hours).
std::expected<double, TextError> read_duration(const Token& token) {
  std::string text = token.text;
  constexpr std::array kSmaller = {std::pair{'d', 'h'}, std::pair{'h', 'm'}, std::pair{'m', 's'}};
  if (!text.empty() && std::isdigit(static_cast<unsigned char>(text.back())) != 0) {
    const std::size_t unit = text.find_last_not_of("0123456789");
    for (const auto& [larger, smaller] : kSmaller) {
      if (unit != std::string::npos && text[unit] == larger) {
        text += smaller;
        break;
      }
    }
  }
  const auto duration = core::parse_duration(text);
  if (duration) return core::to_seconds(*duration);
  return std::unexpected(
      TextError{fmt::format("\"{}\" is no duration; write it like 1h30m or 2d", token.text), token.offset});
}

std::expected<double, TextError> read_number(const Token& token) {
  std::string_view text = token.text;
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed == std::errc() && end == text.data() + text.size() && std::isfinite(number)) return number;
  return std::unexpected(TextError{fmt::format("\"{}\" is not a number", token.text), token.offset});
}

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  std::expected<Expression, TextError> expression() {
    auto result = metric();
    if (!result || peek().kind == Token::Kind::end) return result;
    auto condition = parse_condition();
    if (!condition) return std::unexpected(condition.error());
    result->condition = *condition;
    return result;
  }

  std::expected<Expression, TextError> metric() {
    Expression result;
    if (peek().is("change") && !tokens_[1].is("(")) {
      auto change = parse_change();
      if (!change) return std::unexpected(change.error());
      result.change = *change;
    }
    if (peek().kind != Token::Kind::word) return unexpected("a metric such as row_count or missing_count(column)");
    result.metric_offset = peek().offset;
    result.metric = take().text;
    if (peek().is("(")) {
      auto arguments = parse_arguments();
      if (!arguments) return std::unexpected(arguments.error());
      result.arguments = std::move(*arguments);
    }
    result.condition_offset = peek().offset;
    return result;
  }

  std::expected<Condition, TextError> zone() {
    if (!peek().is("when")) return unexpected("\"when\" and a condition, such as \"when < 10\"");
    take();
    return parse_condition();
  }

  std::expected<Header, TextError> header() {
    Header result;
    while (result.table.size() < 4) {
      auto part = parse_name_part();
      if (!part) return std::unexpected(part.error());
      result.table.insert(result.table.end(), part->begin(), part->end());
      if (!peek().is(".")) break;
      take();
    }
    if (result.table.size() > 3) return error(0, "a table's name has at most three parts: database.schema.table");
    if (peek().is("[")) {
      take();
      if (!is_name(peek())) return unexpected("the name of a filter");
      result.filter = take().text;
      if (!peek().is("]")) return unexpected("\"]\"");
      take();
    }
    if (peek().kind != Token::Kind::end) return unexpected("the end; put a name with spaces in double quotes");
    return result;
  }

 private:
  static bool is_name(const Token& token) {
    return token.kind == Token::Kind::word || token.kind == Token::Kind::quoted;
  }

  const Token& peek() const { return tokens_[at_]; }
  /// The end is never passed.
  const Token& take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }

  std::unexpected<TextError> error(std::size_t offset, std::string message) const {
    return std::unexpected(TextError{std::move(message), offset});
  }

  std::unexpected<TextError> unexpected(std::string_view wanted) const {
    const Token& token = peek();
    return error(token.offset, token.kind == Token::Kind::end
                                   ? fmt::format("expected {} at the end", wanted)
                                   : fmt::format("expected {}, found \"{}\"", wanted, token.text));
  }

  /// A word may hold dots of its own; a name in quotes keeps them.
  std::expected<std::vector<std::string>, TextError> parse_name_part() {
    if (!is_name(peek())) return unexpected("the name of a table");
    const Token token = take();
    if (token.kind == Token::Kind::quoted) return std::vector{token.text};
    std::vector<std::string> parts;
    std::string_view rest = token.text;
    if (rest.ends_with('.') && peek().kind == Token::Kind::quoted && peek().offset == token.end) {
      rest.remove_suffix(1);  // sales."Fct Orders"
      tokens_[--at_] = {Token::Kind::symbol, ".", token.end - 1, token.end};
    }
    while (true) {
      const std::size_t dot = rest.find('.');
      if (rest.substr(0, dot).empty()) return error(token.offset, fmt::format("\"{}\" has an empty part", token.text));
      parts.emplace_back(rest.substr(0, dot));
      if (dot == std::string_view::npos) return parts;
      rest.remove_prefix(dot + 1);
    }
  }

  std::expected<Change, TextError> parse_change() {
    take();
    Change change;
    if (peek().is("same")) {
      auto same_day = parse_same_day();
      if (!same_day) return std::unexpected(same_day.error());
      change.same_day = *same_day;
    }
    constexpr std::array<std::string_view, 3> kAggregates = {"avg", "min", "max"};
    const auto aggregate = std::ranges::find(kAggregates, peek().text);
    if (aggregate != kAggregates.end() && change.same_day == Change::SameDay::no) {
      change.aggregate = static_cast<Change::Aggregate>(aggregate - kAggregates.begin());
      take();
      if (!peek().is("last"))
        return unexpected("\"last\" and a number of loads, as in \"change avg last 7 for row_count\"");
      take();
      const Token count = peek();
      const auto number = count.kind == Token::Kind::number ? read_number(count) : error(0, "");
      if (!number || *number < 1 || *number > kMostLoads || std::trunc(*number) != *number) {
        return unexpected(fmt::format("a whole number from 1 to {}", kMostLoads));
      }
      change.last = static_cast<int>(*number);
      take();
    }
    if (peek().is("percent")) {
      change.percent = true;
      take();
    }
    if (!peek().is("for")) return unexpected("\"for\", as in \"change percent for row_count > -30%\"");
    take();
    return change;
  }

  std::expected<Change::SameDay, TextError> parse_same_day() {
    for (const std::string_view word : {"same", "day", "last"}) {
      if (!peek().is(word)) return unexpected("\"same day last week\" or \"same day last month\"");
      take();
    }
    const bool week = peek().is("week");
    if (!week && !peek().is("month")) return unexpected("\"week\" or \"month\"");
    take();
    return week ? Change::SameDay::last_week : Change::SameDay::last_month;
  }

  std::expected<std::vector<Argument>, TextError> parse_arguments() {
    std::vector<Argument> arguments;
    take();
    while (true) {
      const Token& token = peek();
      if (!is_name(token) && token.kind != Token::Kind::number) return unexpected("the name of a column");
      const bool name = is_name(token);
      arguments.push_back({token.text, token.offset});
      take();
      if (name && peek().is("-")) {
        take();
        if (!is_name(peek())) return unexpected("the name of a second column, as in (loaded_at - event_time)");
        arguments.back().minus = take().text;
      }
      if (peek().is(")")) break;
      if (!peek().is(",")) return unexpected("\",\" or \")\"; put a name with spaces or dots in double quotes");
      take();
    }
    take();
    return arguments;
  }

  std::expected<Condition, TextError> parse_condition() {
    constexpr std::array kOperators = {
        std::pair{std::string_view("<"), Condition::Op::less},
        std::pair{std::string_view("<="), Condition::Op::less_equal},
        std::pair{std::string_view("="), Condition::Op::equal},
        std::pair{std::string_view(">="), Condition::Op::greater_equal},
        std::pair{std::string_view(">"), Condition::Op::greater},
        std::pair{std::string_view("!="), Condition::Op::not_equal},
        std::pair{std::string_view("<>"), Condition::Op::not_equal},
    };
    Condition condition;
    const bool negated = peek().is("not");
    if (negated) take();
    if (peek().is("between")) return parse_between(negated);
    const auto op = std::ranges::find_if(kOperators, [&](const auto& known) { return peek().is(known.first); });
    if (negated || op == kOperators.end()) return unexpected("a threshold: < <= = >= > != or \"between 10 and 20\"");
    condition.op = op->second;
    take();
    auto value = parse_value();
    if (!value) return std::unexpected(value.error());
    condition.low = value->first;
    condition.unit = value->second;
    if (peek().kind != Token::Kind::end) return unexpected("the end of the check");
    return condition;
  }

  std::expected<Condition, TextError> parse_between(bool negated) {
    Condition condition;
    const std::size_t offset = take().offset;
    condition.op = negated ? Condition::Op::not_between : Condition::Op::between;
    if (peek().is("(") || peek().is("[")) condition.low_included = take().text == "[";
    auto low = parse_value();
    if (!low) return std::unexpected(low.error());
    if (!peek().is("and")) return unexpected("\"and\", as in \"between 10 and 20\"");
    take();
    auto high = parse_value();
    if (!high) return std::unexpected(high.error());
    if (peek().is(")") || peek().is("]")) condition.high_included = take().text == "]";
    if (peek().kind != Token::Kind::end) return unexpected("the end of the check");
    if (low->second != high->second) return error(offset, "both bounds must have the same unit");
    if (low->first > high->first) return error(offset, "the lower bound is above the upper one");
    condition.low = low->first;
    condition.high = high->first;
    condition.unit = low->second;
    return condition;
  }

  std::expected<std::pair<double, Unit>, TextError> parse_value() {
    const Token token = peek();
    if (token.kind == Token::Kind::duration) {
      take();
      const auto seconds = read_duration(token);
      if (!seconds) return std::unexpected(seconds.error());
      return std::pair{*seconds, Unit::duration};
    }
    if (token.kind != Token::Kind::number) return unexpected("a number");
    take();
    const auto number = read_number(token);
    if (!number) return std::unexpected(number.error());
    if (!peek().is("%")) return std::pair{*number, Unit::plain};
    take();
    return std::pair{*number, Unit::percent};
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

}  // namespace

std::expected<Expression, TextError> parse_expression(std::string_view text) {
  auto tokens = tokenize(text);
  if (!tokens) return std::unexpected(tokens.error());
  return Parser(std::move(*tokens)).expression();
}

std::expected<Expression, TextError> parse_metric(std::string_view text) {
  auto tokens = tokenize(text);
  if (!tokens) return std::unexpected(tokens.error());
  return Parser(std::move(*tokens)).metric();
}

std::expected<Condition, TextError> parse_zone(std::string_view text) {
  auto tokens = tokenize(text);
  if (!tokens) return std::unexpected(tokens.error());
  return Parser(std::move(*tokens)).zone();
}

std::expected<Header, TextError> parse_header(std::string_view text, std::string_view beginning) {
  auto tokens = tokenize(text.substr(beginning.size()));
  std::expected<Header, TextError> header;
  if (tokens) {
    header = Parser(std::move(*tokens)).header();
  } else {
    header = std::unexpected(tokens.error());
  }
  if (!header) header.error().offset += beginning.size();
  return header;
}

}  // namespace weir::quality
