#include "rules/template.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>

#include "config/diagnostics.h"
#include "rules/template_functions.h"
#include "rules/template_lexer.h"
#include "rules/template_tree.h"

namespace weir::rules {
namespace {

using Kind = TemplateToken::Kind;

constexpr std::size_t kMaxDepth = 64;
constexpr std::string_view kUnsupported[] = {"range", "define", "template", "block", "break", "continue"};

/// Thrown and caught in this file only: a parser that may fail at every token reads better so.
struct ParseFailure {
  std::string message;
  std::size_t offset;
};

class Parser {
 public:
  Parser(std::vector<TemplateToken> tokens, std::size_t end)
      : tokens_(std::move(tokens)),
        variables_(std::begin(kTemplateVariables), std::end(kTemplateVariables)),
        end_(end) {}

  TemplateBlock run() {
    TemplateBlock block = parse_block(0);
    if (!done()) {
      const TemplateToken& word = tokens_[at_];
      throw ParseFailure{fmt::format("\"{}\" without a matching if or with", word.text), word.offset};
    }
    return block;
  }

 private:
  bool done() const { return at_ >= tokens_.size(); }
  const TemplateToken* peek() const { return done() ? nullptr : &tokens_[at_]; }
  bool at(Kind kind, std::string_view text) const {
    return !done() && tokens_[at_].kind == kind && tokens_[at_].text == text;
  }
  bool at(Kind kind) const { return !done() && tokens_[at_].kind == kind; }
  std::size_t offset() const { return done() ? end_ : tokens_[at_].offset; }

  [[noreturn]] void fail(std::string message) const { throw ParseFailure{std::move(message), offset()}; }

  void skip_space() {
    while (at(Kind::space)) ++at_;
  }

  void expect_close(std::string_view after) {
    skip_space();
    if (!at(Kind::close)) fail(fmt::format("unexpected \"{}\" in {}", peek() ? peek()->text : "end of text", after));
    ++at_;
  }

  /// Statements until the end, or until the keyword `else` or `end`, which is left as the next token.
  TemplateBlock parse_block(std::size_t depth) {
    if (depth > kMaxDepth) fail(fmt::format("nested deeper than {}", kMaxDepth));
    TemplateBlock block;
    while (!done()) {
      if (at(Kind::text)) {
        block.push_back({.text = tokens_[at_++].text, .pipeline = {}, .body = {}, .otherwise = {}});
        continue;
      }
      const std::size_t open = at_++;
      skip_space();
      if (at(Kind::word, "else") || at(Kind::word, "end")) return block;
      block.push_back(parse_action(tokens_[open].offset, depth));
    }
    return block;
  }

  TemplateStatement parse_action(std::size_t open, std::size_t depth) {
    TemplateStatement statement{
        .kind = TemplateStatement::Kind::action, .text = {}, .pipeline = {}, .body = {}, .otherwise = {}};
    if (at(Kind::word, "if") || at(Kind::word, "with")) {
      parse_branch(statement, open, depth);
      return statement;
    }
    if (at(Kind::word) && std::ranges::find(kUnsupported, peek()->text) != std::end(kUnsupported)) {
      fail(fmt::format("\"{}\" is not supported", peek()->text));
    }
    statement.pipeline = parse_pipeline("an action", 0);
    expect_close("an action");
    return statement;
  }

  /// From the word `if` or `with` to behind its `{{ end }}`.
  void parse_branch(TemplateStatement& statement, std::size_t open, std::size_t depth) {
    const std::string keyword = tokens_[at_++].text;
    statement.kind = keyword == "if" ? TemplateStatement::Kind::branch : TemplateStatement::Kind::with;
    const std::size_t visible = variables_.size();
    statement.pipeline = parse_pipeline(keyword, 0);
    expect_close(keyword);
    const std::size_t inside = variables_.size();
    statement.body = parse_block(depth + 1);
    variables_.resize(inside);
    if (at(Kind::word, "else")) {
      ++at_;
      skip_space();
      if (at(Kind::word, "if") || at(Kind::word, "with")) {
        if (depth > kMaxDepth) fail(fmt::format("nested deeper than {}", kMaxDepth));
        TemplateStatement nested;
        parse_branch(nested, open, depth + 1);
        statement.otherwise.push_back(std::move(nested));
        variables_.resize(visible);
        return;  // one `end` closes both
      }
      expect_close("else");
      statement.otherwise = parse_block(depth + 1);
      if (at(Kind::word, "else")) fail("a second else");
    }
    if (!at(Kind::word, "end")) throw ParseFailure{fmt::format("\"{}\" has no {{{{ end }}}}", keyword), open};
    ++at_;
    expect_close("end");
    variables_.resize(visible);
  }

  TemplatePipeline parse_pipeline(std::string_view context, std::size_t depth) {
    if (depth > kMaxDepth) fail(fmt::format("nested deeper than {}", kMaxDepth));
    TemplatePipeline pipeline;
    skip_space();
    parse_declaration(pipeline);
    while (true) {
      skip_space();
      if (ends_command()) {
        fail(pipeline.commands.empty() ? fmt::format("missing value for {}", context)
                                       : "a value is missing after \"|\"");
      }
      pipeline.commands.push_back(parse_command(pipeline.commands.empty(), depth));
      if (!at(Kind::punctuation, "|")) break;
      ++at_;
    }
    if (pipeline.declares) variables_.push_back(pipeline.variable);
    return pipeline;
  }

  /// `$x :=` declares, `$x =` assigns to a variable that exists.
  void parse_declaration(TemplatePipeline& pipeline) {
    if (!at(Kind::variable)) return;
    std::size_t next = at_ + 1;
    while (next < tokens_.size() && tokens_[next].kind == Kind::space) ++next;
    if (next >= tokens_.size() || tokens_[next].kind != Kind::punctuation) return;
    pipeline.declares = tokens_[next].text == ":=";
    if (!pipeline.declares && tokens_[next].text != "=") return;
    if (!pipeline.declares) check_variable();
    pipeline.variable = tokens_[at_].text;
    at_ = next + 1;
  }

  bool ends_command() const {
    return done() || at(Kind::close) || at(Kind::punctuation, "|") || at(Kind::punctuation, ")");
  }

  TemplateCommand parse_command(bool first, std::size_t depth) {
    TemplateCommand command;
    const std::size_t start = offset();
    while (true) {
      skip_space();
      if (ends_command()) break;
      if (!command.empty() && tokens_[at_ - 1].kind != Kind::space)
        fail(fmt::format("unexpected \"{}\" in a command", peek()->text));
      command.push_back(parse_operand(depth));
    }
    const bool calls = command.front().kind == TemplateOperand::Kind::function;
    if (!calls && (command.size() > 1 || !first)) {
      throw ParseFailure{"only a function can be given arguments", start};
    }
    return command;
  }

  void check_variable() const {
    const std::string& name = tokens_[at_].text;
    if (std::ranges::find(variables_, name) != variables_.end()) return;
    fail(fmt::format("undefined variable \"{}\"{}", name, config::did_you_mean(name, variables_)));
  }

  TemplateOperand parse_operand(std::size_t depth) {
    TemplateOperand operand;
    const TemplateToken& token = tokens_[at_];
    switch (token.kind) {
      case Kind::string: operand.literal = token.text; break;
      case Kind::number: operand.literal = parse_number(token.text); break;
      case Kind::variable:
        check_variable();
        operand.kind = TemplateOperand::Kind::variable;
        operand.name = token.text;
        break;
      case Kind::field:
        operand.kind = TemplateOperand::Kind::dot;
        if (!token.text.empty()) operand.fields.push_back(token.text);
        break;
      case Kind::word: parse_word(operand, token); break;
      default:
        if (token.text != "(") fail(fmt::format("unexpected \"{}\" in a command", token.text));
        ++at_;
        operand.kind = TemplateOperand::Kind::pipeline;
        operand.pipeline = std::make_shared<TemplatePipeline>(parse_pipeline("parentheses", depth + 1));
        skip_space();
        if (!at(Kind::punctuation, ")")) fail("unclosed \"(\"");
    }
    ++at_;
    while (at(Kind::field)) {
      const bool bare =
          operand.kind == TemplateOperand::Kind::literal || operand.kind == TemplateOperand::Kind::function;
      if (bare || peek()->text.empty()) fail(fmt::format("unexpected \".\" after \"{}\"", token.text));
      operand.fields.push_back(tokens_[at_++].text);
    }
    return operand;
  }

  void parse_word(TemplateOperand& operand, const TemplateToken& token) const {
    if (token.text == "true" || token.text == "false") {
      operand.literal = token.text == "true";
      return;
    }
    if (!is_template_function(token.text)) {
      fail(fmt::format("function \"{}\" is not defined{}", token.text,
                       config::did_you_mean(token.text, template_function_names())));
    }
    operand.kind = TemplateOperand::Kind::function;
    operand.name = token.text;
  }

  TemplateValue parse_number(std::string text) const {
    std::erase(text, '_');
    std::string_view digits = text;
    const bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+')) digits.remove_prefix(1);
    const bool hex = digits.starts_with("0x") || digits.starts_with("0X");
    std::int64_t whole = 0;
    const char* first = digits.data() + (hex ? 2 : 0);
    const char* last = digits.data() + digits.size();
    if (const auto [end, failed] = std::from_chars(first, last, whole, hex ? 16 : 10);
        failed == std::errc() && end == last) {
      return negative ? -whole : whole;
    }
    double number = 0;
    if (const auto [end, failed] = std::from_chars(digits.data(), last, number); failed == std::errc() && end == last) {
      // Go's constants: 1e3 is a whole number where one is wanted.
      number = negative ? -number : number;
      const bool is_whole = number == static_cast<double>(static_cast<std::int64_t>(std::clamp(number, -1e15, 1e15)));
      if (is_whole && text.find('.') == std::string::npos) return static_cast<std::int64_t>(number);
      return number;
    }
    fail(fmt::format("\"{}\" is not a number", text));
  }

  std::vector<TemplateToken> tokens_;
  std::vector<std::string> variables_;
  std::size_t end_ = 0;
  std::size_t at_ = 0;
};

struct ExpandFailure {
  core::ErrorKind kind;
  std::string message;
};

class Expander {
 public:
  explicit Expander(const TemplateData& data) : data_(data) {
    variables_ = {{"$", TemplateRoot{}},
                  {"$labels", data.labels},
                  {"$value", data.value},
                  {"$externalLabels", data.external_labels},
                  {"$externalURL", data.external_url}};
  }

  std::string run(const TemplateBlock& block) {
    expand(block, TemplateRoot{});
    return std::move(out_);
  }

 private:
  using Variable = std::pair<std::string, TemplateValue>;

  void expand(const TemplateBlock& block, const TemplateValue& dot) {
    for (const TemplateStatement& statement : block) {
      switch (statement.kind) {
        case TemplateStatement::Kind::text: append(statement.text); break;
        case TemplateStatement::Kind::action: {
          const TemplateValue value = evaluate(statement.pipeline, dot);
          if (statement.pipeline.variable.empty()) append(template_text(value));
          break;
        }
        case TemplateStatement::Kind::branch:
        case TemplateStatement::Kind::with: {
          const std::size_t visible = variables_.size();
          const TemplateValue value = evaluate(statement.pipeline, dot);
          const bool holds = template_truth(value);
          const bool rebinds = holds && statement.kind == TemplateStatement::Kind::with;
          expand(holds ? statement.body : statement.otherwise, rebinds ? value : dot);
          variables_.resize(visible);
          break;
        }
      }
    }
  }

  void append(std::string_view text) {
    if (out_.size() + text.size() > Template::kMaxOutput) {
      throw ExpandFailure{core::ErrorKind::limit,
                          fmt::format("the text is longer than {} bytes", Template::kMaxOutput)};
    }
    out_ += text;
  }

  TemplateValue evaluate(const TemplatePipeline& pipeline, const TemplateValue& dot) {
    std::optional<TemplateValue> piped;
    for (const TemplateCommand& command : pipeline.commands) piped = evaluate(command, dot, piped);
    if (pipeline.declares) {
      variables_.emplace_back(pipeline.variable, *piped);
    } else if (!pipeline.variable.empty()) {
      variable(pipeline.variable) = *piped;
    }
    return *piped;
  }

  TemplateValue evaluate(const TemplateCommand& command, const TemplateValue& dot,
                         const std::optional<TemplateValue>& piped) {
    const TemplateOperand& head = command.front();
    if (head.kind != TemplateOperand::Kind::function) return evaluate(head, dot);
    const bool lazy = head.name == "and" || head.name == "or";
    std::vector<TemplateValue> arguments;
    for (std::size_t i = 1; i < command.size(); ++i) {
      arguments.push_back(evaluate(command[i], dot));
      if (lazy && template_truth(arguments.back()) == (head.name == "or")) return arguments.back();
    }
    if (piped) arguments.push_back(*piped);
    auto result = call_template_function(head.name, arguments);
    if (!result) throw ExpandFailure{result.error().kind, std::move(result.error().message)};
    return std::move(*result);
  }

  TemplateValue evaluate(const TemplateOperand& operand, const TemplateValue& dot) {
    TemplateValue value;
    switch (operand.kind) {
      case TemplateOperand::Kind::literal: value = operand.literal; break;
      case TemplateOperand::Kind::dot: value = dot; break;
      case TemplateOperand::Kind::variable: value = variable(operand.name); break;
      case TemplateOperand::Kind::pipeline: value = evaluate(*operand.pipeline, dot); break;
      case TemplateOperand::Kind::function: return evaluate(TemplateCommand{operand}, dot, std::nullopt);
    }
    for (const std::string& field : operand.fields) value = take_field(value, field);
    return value;
  }

  /// The innermost of that name; the parser has seen that there is one.
  TemplateValue& variable(std::string_view name) {
    const auto found = std::ranges::find(variables_.rbegin(), variables_.rend(), name, &Variable::first);
    if (found == variables_.rend()) throw ExpandFailure{core::ErrorKind::internal, fmt::format("no variable {}", name)};
    return found->second;
  }

  TemplateValue take_field(const TemplateValue& value, const std::string& field) const {
    if (const auto* labels = std::get_if<core::Labels>(&value)) return std::string(labels->get(field));
    if (std::holds_alternative<TemplateRoot>(value)) {
      if (field == "Labels") return data_.labels;
      if (field == "Value") return data_.value;
      if (field == "ExternalLabels") return data_.external_labels;
      if (field == "ExternalURL") return data_.external_url;
    }
    throw ExpandFailure{core::ErrorKind::invalid,
                        fmt::format("can't evaluate field {} in type {}", field, template_type(value))};
  }

  const TemplateData& data_;
  std::vector<Variable> variables_;  // inner blocks' are at the end
  std::string out_;
};

}  // namespace

core::Result<Template> Template::parse(std::string_view text) {
  auto tokens = lex_template(text);
  if (!tokens) return std::unexpected(std::move(tokens.error()));
  try {
    return Template(std::make_shared<Tree>(Tree{Parser(std::move(*tokens), text.size()).run()}));
  } catch (const ParseFailure& failure) {
    return core::fail(core::ErrorKind::invalid, failure.message, template_place(text, failure.offset));
  }
}

Template Template::literal(std::string text) {
  TemplateStatement statement;
  statement.text = std::move(text);
  return Template(std::make_shared<Tree>(Tree{{std::move(statement)}}));
}

core::Result<std::string> Template::expand(const TemplateData& data) const {
  try {
    return Expander(data).run(tree_->block);
  } catch (const ExpandFailure& failure) {
    return core::fail(failure.kind, failure.message);
  }
}

bool Template::constant() const {
  return std::ranges::all_of(tree_->block,
                             [](const TemplateStatement& s) { return s.kind == TemplateStatement::Kind::text; });
}

}  // namespace weir::rules
