#include "templates/template_parser.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "config/diagnostics.h"

#include "templates/template_functions.h"
#include "templates/template_lexer.h"

namespace weir::templates {
namespace {

using Kind = TemplateToken::Kind;

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxDefined = 100;

/// Thrown and caught in this file only: a parser that may fail at every token reads better so.
struct ParseFailure {
  std::string message;
  std::size_t offset;
};

class Parser {
 public:
  Parser(std::vector<TemplateToken> tokens, std::size_t end, TemplateUse use)
      : tokens_(std::move(tokens)), variables_{"$"}, use_(use), end_(end) {
    if (use == TemplateUse::rule) variables_.assign(std::begin(kTemplateVariables), std::end(kTemplateVariables));
  }

  Template::Tree run() {
    tree_.block = parse_block(0);
    if (!done()) {
      const TemplateToken& word = tokens_[at_];
      throw ParseFailure{fmt::format("\"{}\" without a matching if, with or range", word.text), word.offset};
    }
    return std::move(tree_);
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
      if (at(Kind::word, "define")) {
        parse_define(tokens_[open].offset, depth);
      } else {
        block.push_back(parse_action(tokens_[open].offset, depth));
      }
    }
    return block;
  }

  TemplateStatement parse_action(std::size_t open, std::size_t depth) {
    TemplateStatement statement{
        .kind = TemplateStatement::Kind::action, .text = {}, .pipeline = {}, .body = {}, .otherwise = {}};
    if (at(Kind::word, "if") || at(Kind::word, "with") || at(Kind::word, "range")) {
      parse_branch(statement, open, depth);
      return statement;
    }
    if (at(Kind::word, "break") || at(Kind::word, "continue")) {
      if (loops_ == 0) fail(fmt::format("\"{}\" outside of a range", peek()->text));
      statement.kind = peek()->text == "break" ? TemplateStatement::Kind::leave : TemplateStatement::Kind::next;
      expect_close(tokens_[at_++].text);
      return statement;
    }
    if (at(Kind::word, "template") || at(Kind::word, "block")) {
      parse_call(statement, open, depth);
      return statement;
    }
    statement.pipeline = parse_pipeline("an action", 0);
    expect_close("an action");
    return statement;
  }

  std::string parse_name(std::string_view keyword) {
    skip_space();
    if (!at(Kind::string)) fail(fmt::format("\"{}\" needs a name in double quotes", keyword));
    return tokens_[at_++].text;
  }

  /// `{{ define "name" }} … {{ end }}`: sees none of the variables around it.
  void parse_define(std::size_t open, std::size_t depth) {
    ++at_;
    if (depth > 0) fail("\"define\" must not stand inside of another action");
    std::string name = parse_name("define");
    expect_close("define");
    define(std::move(name), open, depth);
  }

  void define(std::string name, std::size_t open, std::size_t depth) {
    if (tree_.defined.size() >= kMaxDefined) fail(fmt::format("more than {} templates are defined", kMaxDefined));
    std::vector<std::string> outside = std::exchange(variables_, {"$"});
    const std::size_t loops = std::exchange(loops_, 0);
    TemplateBlock body = parse_block(depth + 1);
    if (!at(Kind::word, "end")) {
      throw ParseFailure{fmt::format("the definition of \"{}\" has no {{{{ end }}}}", name), open};
    }
    ++at_;
    expect_close("end");
    variables_ = std::move(outside);
    loops_ = loops;
    tree_.defined.insert_or_assign(std::move(name), std::move(body));
  }

  /// `{{ template "name" pipeline }}`, or `block`, which defines it at the same place.
  void parse_call(TemplateStatement& statement, std::size_t open, std::size_t depth) {
    const std::string keyword = tokens_[at_++].text;
    statement.kind = TemplateStatement::Kind::call;
    skip_space();
    const std::size_t named = offset();
    statement.text = parse_name(keyword);
    tree_.calls.push_back({statement.text, named});
    skip_space();
    if (keyword == "block" || !at(Kind::close)) statement.pipeline = parse_pipeline(keyword, 0);
    expect_close(keyword);
    if (keyword == "block") define(statement.text, open, depth);
  }

  static TemplateStatement::Kind kind_of(std::string_view keyword) {
    if (keyword == "range") return TemplateStatement::Kind::range;
    return keyword == "if" ? TemplateStatement::Kind::branch : TemplateStatement::Kind::with;
  }

  /// From the word `if`, `with` or `range` to behind its `{{ end }}`.
  void parse_branch(TemplateStatement& statement, std::size_t open, std::size_t depth) {
    const std::string keyword = tokens_[at_++].text;
    statement.kind = kind_of(keyword);
    const bool loop = statement.kind == TemplateStatement::Kind::range;
    const std::size_t visible = variables_.size();
    statement.pipeline = parse_pipeline(keyword, 0);
    expect_close(keyword);
    const std::size_t inside = variables_.size();
    loops_ += loop ? 1 : 0;
    statement.body = parse_block(depth + 1);
    loops_ -= loop ? 1 : 0;
    variables_.resize(inside);
    if (at(Kind::word, "else")) {
      ++at_;
      skip_space();
      if (!loop && (at(Kind::word, "if") || at(Kind::word, "with"))) {
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
    parse_declaration(pipeline, context == "range");
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
    if (pipeline.declares && !pipeline.second.empty()) variables_.push_back(pipeline.second);
    return pipeline;
  }

  std::size_t behind_space(std::size_t next) const {
    while (next < tokens_.size() && tokens_[next].kind == Kind::space) ++next;
    return next;
  }

  bool is_punctuation(std::size_t index, std::string_view text) const {
    return index < tokens_.size() && tokens_[index].kind == Kind::punctuation && tokens_[index].text == text;
  }

  /// `$x :=` declares, `$x =` assigns to a variable that exists. A range may have two: `$key, $element :=`.
  void parse_declaration(TemplatePipeline& pipeline, bool loop) {
    if (!at(Kind::variable)) return;
    std::size_t next = behind_space(at_ + 1);
    std::size_t second = 0;
    if (loop && is_punctuation(next, ",")) {
      second = behind_space(next + 1);
      if (second >= tokens_.size() || tokens_[second].kind != Kind::variable) fail("a variable is missing after \",\"");
      next = behind_space(second + 1);
    }
    pipeline.declares = is_punctuation(next, ":=");
    if (!pipeline.declares && !is_punctuation(next, "=")) {
      if (second != 0) fail("\":=\" is missing after the variables");
      return;
    }
    if (!pipeline.declares) {
      check_variable(tokens_[at_]);
      if (second != 0) check_variable(tokens_[second]);
    }
    pipeline.variable = tokens_[at_].text;
    if (second != 0) pipeline.second = tokens_[second].text;
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
    const bool calls = command.front().kind == TemplateOperand::Kind::function || !command.front().fields.empty();
    if (!calls && (command.size() > 1 || !first)) {
      throw ParseFailure{"only a function or a method can be given arguments", start};
    }
    return command;
  }

  void check_variable(const TemplateToken& token) const {
    if (std::ranges::find(variables_, token.text) != variables_.end()) return;
    throw ParseFailure{
        fmt::format("undefined variable \"{}\"{}", token.text, config::did_you_mean(token.text, variables_)),
        token.offset};
  }

  TemplateOperand parse_operand(std::size_t depth) {
    TemplateOperand operand;
    const TemplateToken& token = tokens_[at_];
    switch (token.kind) {
      case Kind::string: operand.literal = token.text; break;
      case Kind::number: operand.literal = parse_number(token.text); break;
      case Kind::variable:
        check_variable(token);
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
    if (!is_template_function(token.text, use_)) {
      fail(fmt::format("function \"{}\" is not defined{}", token.text,
                       config::did_you_mean(token.text, template_function_names(use_))));
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
  TemplateUse use_;
  Template::Tree tree_;
  std::size_t loops_ = 0;  // around the present place
  std::size_t end_ = 0;
  std::size_t at_ = 0;
};

}  // namespace

core::Result<Template::Tree> parse_template(std::string_view text, TemplateUse use) {
  auto tokens = lex_template(text);
  if (!tokens) return std::unexpected(std::move(tokens.error()));
  try {
    return Parser(std::move(*tokens), text.size(), use).run();
  } catch (const ParseFailure& failure) {
    return core::fail(core::ErrorKind::invalid, failure.message, template_place(text, failure.offset));
  }
}

}  // namespace weir::templates
