#include "promql/parser.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <re2/re2.h>
#include <utility>

#include "promql/functions.h"
#include "promql/lexer.h"

namespace weir::promql {
namespace {

constexpr std::size_t kLongestText = 64U << 10U;
constexpr int kDeepest = 100;
// A chain of operators is a tree as deep as it is long, and is evaluated by recursion.
constexpr int kMostOperators = 1000;

struct OperatorInfo {
  std::string_view token;
  Operator op;
  int binds;  // higher binds closer
};
constexpr int kPowerBinds = 6;
constexpr int kUnaryBinds = 5;  // -2^2 is -(2^2), -2*3 is (-2)*3
constexpr std::array<OperatorInfo, 16> kOperators{{{"or", Operator::or_, 1},
                                                   {"and", Operator::and_, 2},
                                                   {"unless", Operator::unless, 2},
                                                   {"==", Operator::eq, 3},
                                                   {"!=", Operator::ne, 3},
                                                   {"<", Operator::lt, 3},
                                                   {">", Operator::gt, 3},
                                                   {"<=", Operator::le, 3},
                                                   {">=", Operator::ge, 3},
                                                   {"+", Operator::add, 4},
                                                   {"-", Operator::sub, 4},
                                                   {"*", Operator::mul, 5},
                                                   {"/", Operator::div, 5},
                                                   {"%", Operator::mod, 5},
                                                   {"atan2", Operator::atan2, 5},
                                                   {"^", Operator::pow, kPowerBinds}}};

struct AggregateInfo {
  std::string_view name;
  AggregateOp op;
  std::optional<ValueType> parameter;
};
constexpr std::array<AggregateInfo, 14> kAggregates{{{"sum", AggregateOp::sum, std::nullopt},
                                                     {"min", AggregateOp::min, std::nullopt},
                                                     {"max", AggregateOp::max, std::nullopt},
                                                     {"avg", AggregateOp::avg, std::nullopt},
                                                     {"count", AggregateOp::count, std::nullopt},
                                                     {"group", AggregateOp::group, std::nullopt},
                                                     {"stddev", AggregateOp::stddev, std::nullopt},
                                                     {"stdvar", AggregateOp::stdvar, std::nullopt},
                                                     {"topk", AggregateOp::topk, ValueType::scalar},
                                                     {"bottomk", AggregateOp::bottomk, ValueType::scalar},
                                                     {"limitk", AggregateOp::limitk, ValueType::scalar},
                                                     {"limit_ratio", AggregateOp::limit_ratio, ValueType::scalar},
                                                     {"quantile", AggregateOp::quantile, ValueType::scalar},
                                                     {"count_values", AggregateOp::count_values, ValueType::text}}};

/// Keywords are those of any case; functions, metrics and labels are not.
std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

const OperatorInfo* find_operator(const Token& token) {
  if (token.kind != TokenKind::symbol && token.kind != TokenKind::identifier) return nullptr;
  const auto* found = std::ranges::find(kOperators, lower(token.text), &OperatorInfo::token);
  return found == kOperators.end() ? nullptr : found;
}

const AggregateInfo* find_aggregate(std::string_view name) {
  const auto* found = std::ranges::find(kAggregates, lower(name), &AggregateInfo::name);
  return found == kAggregates.end() ? nullptr : found;
}

bool is_comparison(Operator op) { return op >= Operator::eq && op <= Operator::ge; }
bool is_set(Operator op) { return op >= Operator::and_; }

std::string shown(const Token& token) {
  if (token.kind == TokenKind::end) return "the end of the expression";
  return (token.kind == TokenKind::text ? "the string \"" : "\"") + token.text + "\"";
}

NodePtr make(decltype(Node::kind) kind, ValueType type, const Place& place) {
  return std::make_unique<Node>(Node{std::move(kind), type, place});
}

std::string with_article(ValueType type) {
  return (type == ValueType::vector ? "an " : "a ") + std::string(to_string(type));
}

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  core::Result<Expr> run() {
    auto root = expression(0);
    if (!root) return std::unexpected(root.error());
    if (current().kind != TokenKind::end) return unexpected_token("an operator or the end");
    return Expr(std::move(*root));
  }

 private:
  using Parsed = core::Result<NodePtr>;

  const Token& current() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool accept(std::string_view symbol) {
    if (!current().is(symbol)) return false;
    take();
    return true;
  }
  static bool is_word(const Token& token, std::string_view word) {
    return token.kind == TokenKind::identifier && lower(token.text) == word;
  }
  bool at_word(std::string_view word) const { return is_word(current(), word); }
  std::unexpected<core::Error> unexpected_token(std::string_view wanted) const {
    return error_at(current().place, "expected " + std::string(wanted) + ", found " + shown(current()));
  }
  core::Result<void> expect(std::string_view symbol) {
    if (accept(symbol)) return {};
    return unexpected_token("\"" + std::string(symbol) + "\"");
  }

  // Pratt's algorithm: operands, and operators that bind at least as closely as `least`.
  Parsed expression(int least) {
    if (++depth_ > kDeepest) return core::fail(core::ErrorKind::limit, "the expression is nested too deeply");
    auto left = prefix();
    while (left) {
      const OperatorInfo* info = find_operator(current());
      if (info == nullptr || info->binds < least) break;
      if (++operators_ > kMostOperators)
        return core::fail(core::ErrorKind::limit, "the expression has more than 1000 operators");
      left = infix(std::move(*left), *info);
    }
    --depth_;
    return left;
  }

  Parsed prefix() {
    const Token token = current();
    if (token.is("+") || token.is("-")) {
      take();
      auto operand = expression(kUnaryBinds + 1);
      if (!operand) return operand;
      const ValueType type = (*operand)->type;
      if (type != ValueType::scalar && type != ValueType::vector) {
        return error_at(token.place,
                        "unary " + token.text + " needs a scalar or an instant vector, found " + with_article(type));
      }
      if (const auto* literal = std::get_if<NumberLiteral>(&(*operand)->kind))
        return make(NumberLiteral{token.text == "-" ? -literal->value : literal->value}, type, token.place);
      return make(Unary{std::move(*operand), token.text == "-"}, type, token.place);
    }
    auto node = primary();
    while (node && (current().is("[") || at_word("offset") || current().is("@"))) node = suffix(std::move(*node));
    return node;
  }

  Parsed primary() {
    const Token token = current();
    if (token.kind == TokenKind::number || token.kind == TokenKind::duration) {
      take();
      return make(NumberLiteral{token.number}, ValueType::scalar, token.place);
    }
    if (token.kind == TokenKind::text) {
      take();
      return make(TextLiteral{token.text}, ValueType::text, token.place);
    }
    if (token.is("(")) {
      take();
      auto inner = expression(0);
      if (!inner) return inner;
      if (auto closed = expect(")"); !closed) return std::unexpected(closed.error());
      const ValueType type = (*inner)->type;
      return make(Paren{std::move(*inner)}, type, token.place);
    }
    if (token.is("{")) return selector({});
    if (token.kind == TokenKind::identifier) return named();
    return unexpected_token("an expression");
  }

  Parsed named() {
    const Token name = current();
    if (const AggregateInfo* info = find_aggregate(name.text);
        info != nullptr && (ahead().is("(") || is_word(ahead(), "by") || is_word(ahead(), "without"))) {
      return aggregate(*info);
    }
    if (ahead().is("(")) return call();
    take();
    if (is_word(name, "inf"))
      return make(NumberLiteral{std::numeric_limits<double>::infinity()}, ValueType::scalar, name.place);
    if (is_word(name, "nan"))
      return make(NumberLiteral{std::numeric_limits<double>::quiet_NaN()}, ValueType::scalar, name.place);
    return selector(name);
  }

  Parsed selector(const std::optional<Token>& name) {
    Selector result;
    const Place place = name ? name->place : current().place;
    result.named = name.has_value();
    if (name) result.matchers.push_back({std::string(core::kMetricName), core::MatchOp::equal, name->text});
    if (accept("{")) {
      while (!accept("}")) {
        if (auto read = matcher(result.matchers, name.has_value()); !read) return std::unexpected(read.error());
        if (!accept(",") && !current().is("}")) return unexpected_token("\",\" or \"}\"");
      }
    }
    const bool anchored =
        std::ranges::any_of(result.matchers, [](const core::Matcher& m) { return demands_a_value(m); });
    if (!anchored)
      return error_at(place, "a selector needs a name or at least one matcher that does not match the empty string");
    return make(std::move(result), ValueType::vector, place);
  }

  static bool demands_a_value(const core::Matcher& matcher) {
    switch (matcher.op) {
      case core::MatchOp::equal: return !matcher.value.empty();
      case core::MatchOp::not_equal: return matcher.value.empty();
      case core::MatchOp::regex: return !RE2::FullMatch("", matcher.value);
      case core::MatchOp::not_regex: return RE2::FullMatch("", matcher.value);
    }
    return false;
  }

  core::Result<void> matcher(std::vector<core::Matcher>& matchers, bool named) {
    const Token label = current();
    if (label.kind != TokenKind::identifier && label.kind != TokenKind::text) return unexpected_token("a label name");
    take();
    if (label.kind == TokenKind::text && (current().is(",") || current().is("}"))) {
      if (named) return error_at(label.place, "the metric's name is given twice");
      matchers.push_back({std::string(core::kMetricName), core::MatchOp::equal, label.text});
      return {};
    }
    static constexpr std::array<std::pair<std::string_view, core::MatchOp>, 4> kOps{{{"=", core::MatchOp::equal},
                                                                                     {"!=", core::MatchOp::not_equal},
                                                                                     {"=~", core::MatchOp::regex},
                                                                                     {"!~", core::MatchOp::not_regex}}};
    const auto* op = std::ranges::find_if(kOps, [&](const auto& entry) { return current().is(entry.first); });
    if (op == kOps.end()) return unexpected_token("one of =, !=, =~, !~");
    take();
    const Token value = current();
    if (value.kind != TokenKind::text) return unexpected_token("a quoted string");
    take();
    if (named && label.text == core::kMetricName && op->second == core::MatchOp::equal) {
      return error_at(label.place, "the metric's name is given twice");
    }
    if (op->second == core::MatchOp::regex || op->second == core::MatchOp::not_regex) {
      const RE2 regex(value.text, RE2::Quiet);
      if (!regex.ok())
        return error_at(value.place, "\"" + value.text + "\" is not a regular expression: " + regex.error());
    }
    matchers.push_back({label.text, op->second, value.text});
    return {};
  }

  // Nodes do not change once they are in the tree; what is still being read is not.
  static Node& unfinished(const NodePtr& node) { return const_cast<Node&>(*node); }

  // One [range], [range:step], offset or @ behind an operand.
  Parsed suffix(NodePtr node) {
    const Place place = current().place;
    if (current().is("[")) return brackets(std::move(node));
    auto& kind = unfinished(node).kind;
    core::Result<void> read;
    if (auto* selector = std::get_if<Selector>(&kind)) {
      read = modifier(selector->offset, selector->at);
    } else if (auto* subquery = std::get_if<Subquery>(&kind)) {
      read = modifier(subquery->offset, subquery->at);
    } else {
      return error_at(place, current().text + " belongs directly behind a selector or a subquery");
    }
    if (!read) return std::unexpected(read.error());
    return node;
  }

  Parsed brackets(NodePtr node) {
    const Place place = take().place;
    auto range = duration("a range");
    if (!range) return std::unexpected(range.error());
    if (range->count() <= 0) return error_at(place, "a range must be longer than zero");
    if (accept(":")) {
      std::optional<core::Duration> step;
      if (!current().is("]")) {
        const auto given = duration("a step");
        if (!given) return std::unexpected(given.error());
        if (given->count() <= 0) return error_at(place, "the step of a subquery must be longer than zero");
        step = *given;
      }
      if (auto closed = expect("]"); !closed) return std::unexpected(closed.error());
      if (node->type != ValueType::vector) {
        return error_at(place, "a subquery needs an instant vector before it, found " + with_article(node->type));
      }
      const Place start = node->place;
      return make(Subquery{std::move(node), *range, step, core::Duration(0), std::nullopt}, ValueType::matrix, start);
    }
    if (auto closed = expect("]"); !closed) return std::unexpected(closed.error());
    auto* selector = std::get_if<Selector>(&unfinished(node).kind);
    if (selector == nullptr || selector->range)
      return error_at(place, "a range belongs behind a selector; for the range of an expression write [5m:1m]");
    if (selector->offset.count() != 0 || selector->at) return error_at(place, "offset and @ belong behind the range");
    unfinished(node).type = ValueType::matrix;
    selector->range = *range;
    return node;
  }

  core::Result<void> modifier(core::Duration& offset, std::optional<AtModifier>& at) {
    const Token token = take();
    if (token.is("@")) {
      if (at) return error_at(token.place, "@ is given twice");
      auto given = at_modifier();
      if (!given) return std::unexpected(given.error());
      at = *given;
      return {};
    }
    if (offset.count() != 0) return error_at(token.place, "offset is given twice");
    const bool back = accept("-");
    if (!back) accept("+");
    const auto given = duration("an offset");
    if (!given) return std::unexpected(given.error());
    offset = back ? -*given : *given;
    return {};
  }

  core::Result<AtModifier> at_modifier() {
    if (at_word("start") || at_word("end")) {
      const bool start = lower(take().text) == "start";
      if (auto open = expect("("); !open) return std::unexpected(open.error());
      if (auto closed = expect(")"); !closed) return std::unexpected(closed.error());
      return AtModifier{start ? AtModifier::Kind::start : AtModifier::Kind::end, {}};
    }
    const bool negative = accept("-");
    if (!negative) accept("+");
    const Token token = current();
    // 292 million years: what 64-bit milliseconds hold.
    if (token.kind != TokenKind::number || !(token.number < 9.2e15))
      return unexpected_token("a time in seconds, start() or end()");
    take();
    return AtModifier{AtModifier::Kind::time, core::time_from_seconds(negative ? -token.number : token.number)};
  }

  core::Result<core::Duration> duration(std::string_view what) {
    const Token token = current();
    if (token.kind == TokenKind::duration) {
      take();
      return token.duration;
    }
    if (token.kind == TokenKind::number && token.number >= 0 && token.number < 1e12) {
      take();
      return core::Duration(std::llround(token.number * 1000));
    }
    return unexpected_token(std::string(what) + " as 5m");
  }

  core::Result<std::vector<std::string>> label_list() {
    std::vector<std::string> labels;
    if (auto open = expect("("); !open) return std::unexpected(open.error());
    while (!accept(")")) {
      const Token label = current();
      const bool fits = (label.kind == TokenKind::identifier && label.text.find(':') == std::string::npos) ||
                        label.kind == TokenKind::text;
      if (!fits) return unexpected_token("a label name");
      take();
      labels.push_back(label.text);
      if (!accept(",") && !current().is(")")) return unexpected_token("\",\" or \")\"");
    }
    return labels;
  }

  core::Result<void> grouping(Aggregate& aggregate, bool& given) {
    if (!at_word("by") && !at_word("without")) return {};
    if (given) return unexpected_token("only one by or without");
    given = true;
    aggregate.without = lower(take().text) == "without";
    auto labels = label_list();
    if (!labels) return std::unexpected(labels.error());
    aggregate.labels = std::move(*labels);
    return {};
  }

  Parsed aggregate(const AggregateInfo& info) {
    const Place place = take().place;
    Aggregate result;
    result.op = info.op;
    bool grouped = false;
    if (auto read = grouping(result, grouped); !read) return std::unexpected(read.error());
    auto arguments = argument_list();
    if (!arguments) return std::unexpected(arguments.error());
    if (auto read = grouping(result, grouped); !read) return std::unexpected(read.error());
    const std::size_t wanted = info.parameter ? 2 : 1;
    if (arguments->size() != wanted) {
      return error_at(place, std::string(info.name) + " takes " + std::to_string(wanted) + " argument(s), found " +
                                 std::to_string(arguments->size()));
    }
    if (info.parameter) {
      if (auto fits = check_type(*arguments->front(), *info.parameter, info.name); !fits)
        return std::unexpected(fits.error());
      result.parameter = std::move(arguments->front());
    }
    if (auto fits = check_type(*arguments->back(), ValueType::vector, info.name); !fits)
      return std::unexpected(fits.error());
    result.operand = std::move(arguments->back());
    return make(std::move(result), ValueType::vector, place);
  }

  core::Result<std::vector<NodePtr>> argument_list() {
    std::vector<NodePtr> arguments;
    if (auto open = expect("("); !open) return std::unexpected(open.error());
    while (!accept(")")) {
      auto argument = expression(0);
      if (!argument) return std::unexpected(argument.error());
      arguments.push_back(std::move(*argument));
      if (accept(",")) {
        if (current().is(")")) return unexpected_token("another argument");
      } else if (!current().is(")")) {
        return unexpected_token("\",\" or \")\"");
      }
    }
    return arguments;
  }

  static core::Result<void> check_type(const Node& node, ValueType wanted, std::string_view what) {
    if (node.type == wanted) return {};
    return error_at(node.place,
                    std::string(what) + " needs " + with_article(wanted) + " here, found " + with_article(node.type));
  }

  Parsed call() {
    const Token name = take();
    const Function* function = find_function(name.text);
    if (function == nullptr) {
      const std::string_view why = why_missing(name.text);
      return error_at(name.place,
                      "unknown function \"" + name.text + "\"" + (why.empty() ? "" : ": " + std::string(why)));
    }
    auto arguments = argument_list();
    if (!arguments) return std::unexpected(arguments.error());
    const std::size_t most = function->arguments.size();
    const std::size_t least = most - function->optional;
    if (arguments->size() < least || (arguments->size() > most && !function->variadic)) {
      return error_at(name.place, name.text + " takes " + (function->variadic ? "at least " : "") +
                                      std::to_string(least) +
                                      (least == most || function->variadic ? "" : " to " + std::to_string(most)) +
                                      " argument(s), found " + std::to_string(arguments->size()));
    }
    for (std::size_t i = 0; i < arguments->size(); ++i) {
      const ValueType wanted = function->arguments[std::min(i, most - 1)];
      if (auto fits = check_type(*(*arguments)[i], wanted, name.text); !fits) return std::unexpected(fits.error());
    }
    return make(Call{function, std::move(*arguments)}, function->result, name.place);
  }

  core::Result<void> matching(Binary& binary) {
    if (at_word("bool")) {
      const Token token = take();
      if (!is_comparison(binary.op)) return error_at(token.place, "bool is only for comparisons");
      binary.return_bool = true;
    }
    if (!at_word("on") && !at_word("ignoring")) return {};
    binary.matching.on = lower(take().text) == "on";
    auto labels = label_list();
    if (!labels) return std::unexpected(labels.error());
    binary.matching.labels = std::move(*labels);
    if (!at_word("group_left") && !at_word("group_right")) return {};
    const Token group = take();
    if (is_set(binary.op)) return error_at(group.place, "set operations match many to many: no " + group.text);
    binary.matching.cardinality =
        lower(group.text) == "group_left" ? Matching::Cardinality::many_to_one : Matching::Cardinality::one_to_many;
    if (!current().is("(")) return {};
    auto include = label_list();
    if (!include) return std::unexpected(include.error());
    for (const std::string& label : *include) {
      if (binary.matching.on && std::ranges::find(binary.matching.labels, label) != binary.matching.labels.end())
        return error_at(group.place, "label \"" + label + "\" must not occur in on and " + group.text + " at once");
    }
    binary.matching.include = std::move(*include);
    return {};
  }

  Parsed infix(NodePtr left, const OperatorInfo& info) {
    const Token token = take();
    Binary binary;
    binary.op = info.op;
    if (auto read = matching(binary); !read) return std::unexpected(read.error());
    const bool matched = binary.matching.on || !binary.matching.labels.empty();
    // All but ^ group from the left.
    auto right = expression(info.op == Operator::pow ? info.binds : info.binds + 1);
    if (!right) return right;
    for (const Node* side : {left.get(), right->get()}) {
      if (side->type != ValueType::scalar && side->type != ValueType::vector) {
        return error_at(side->place,
                        token.text + " needs scalars or instant vectors, found " + with_article(side->type));
      }
    }
    const bool scalars = left->type == ValueType::scalar && (*right)->type == ValueType::scalar;
    const bool vectors = left->type == ValueType::vector && (*right)->type == ValueType::vector;
    if (is_comparison(info.op) && scalars && !binary.return_bool)
      return error_at(token.place, "comparing two scalars needs bool");
    if (is_set(info.op) && !vectors)
      return error_at(token.place, token.text + " needs an instant vector on both sides");
    if (matched && !vectors) return error_at(token.place, "on and ignoring need an instant vector on both sides");
    binary.left = std::move(left);
    binary.right = std::move(*right);
    return make(std::move(binary), scalars ? ValueType::scalar : ValueType::vector, token.place);
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int operators_ = 0;
};

void collect(const Node& node, std::vector<const Selector*>& out) {
  std::visit(
      [&](const auto& kind) {
        using Kind = std::decay_t<decltype(kind)>;
        if constexpr (std::is_same_v<Kind, Selector>) {
          out.push_back(&kind);
        } else if constexpr (std::is_same_v<Kind, Subquery>) {
          collect(*kind.inner, out);
        } else if constexpr (std::is_same_v<Kind, Unary>) {
          collect(*kind.operand, out);
        } else if constexpr (std::is_same_v<Kind, Binary>) {
          collect(*kind.left, out);
          collect(*kind.right, out);
        } else if constexpr (std::is_same_v<Kind, Aggregate>) {
          if (kind.parameter) collect(*kind.parameter, out);
          collect(*kind.operand, out);
        } else if constexpr (std::is_same_v<Kind, Call>) {
          for (const NodePtr& argument : kind.arguments) collect(*argument, out);
        } else if constexpr (std::is_same_v<Kind, Paren>) {
          collect(*kind.inner, out);
        }
      },
      node.kind);
}

}  // namespace

std::string_view to_string(Operator op) { return std::ranges::find(kOperators, op, &OperatorInfo::op)->token; }
std::string_view to_string(AggregateOp op) { return std::ranges::find(kAggregates, op, &AggregateInfo::op)->name; }

std::string_view to_string(ValueType type) {
  switch (type) {
    case ValueType::scalar: return "scalar";
    case ValueType::vector: return "instant vector";
    case ValueType::matrix: return "range vector";
    case ValueType::text: return "string";
  }
  return "none";
}

core::Result<Expr> parse(std::string_view text) {
  if (text.size() > kLongestText) return core::fail(core::ErrorKind::limit, "the expression is longer than 64 KiB");
  auto tokens = lex(text);
  if (!tokens) return std::unexpected(tokens.error());
  return Parser(std::move(*tokens)).run();
}

std::vector<const Selector*> selectors(const Expr& expr) {
  std::vector<const Selector*> found;
  collect(expr.root(), found);
  return found;
}

std::vector<std::string> metric_names(const Expr& expr) {
  std::vector<std::string> names;
  for (const Selector* selector : selectors(expr)) {
    std::string name;
    for (const core::Matcher& matcher : selector->matchers) {
      if (matcher.name == core::kMetricName && matcher.op == core::MatchOp::equal) name = matcher.value;
    }
    names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

}  // namespace weir::promql
