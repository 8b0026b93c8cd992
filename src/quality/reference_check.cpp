#include "quality/reference_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "quality/expression.h"
#include "quality/lexer.h"

namespace weir::quality {
namespace {

constexpr std::string_view kSource = "weir_source";
constexpr std::string_view kTarget = "weir_target";

using Names = std::vector<std::string>;

/// What the line says.
struct Relation {
  Names columns;
  Names table;
  Names other_columns;
  bool must_exist = true;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::expected<Relation, TextError> run() {
    auto tokens = tokenize(text_);
    if (!tokens) return std::unexpected(tokens.error());
    tokens_ = std::move(*tokens);
    at_ = 2;  // "values in"
    Relation relation;
    if (auto read = columns(relation.columns); !read) return std::unexpected(read.error());
    if (!skip("must")) return unexpected("\"must exist in\" or \"must not exist in\"");
    relation.must_exist = !skip("not");
    if (!skip("exist") || !skip("in")) return unexpected("\"must exist in\" or \"must not exist in\"");
    if (auto read = table(relation.table); !read) return std::unexpected(read.error());
    if (auto read = columns(relation.other_columns); !read) return std::unexpected(read.error());
    if (peek().kind != Token::Kind::end) return unexpected("the end");
    if (relation.columns.size() == relation.other_columns.size()) return relation;
    return std::unexpected(TextError{fmt::format("{} columns here and {} there: there must be as many of each",
                                                 relation.columns.size(), relation.other_columns.size()),
                                     0});
  }

 private:
  const Token& peek() const { return tokens_[at_]; }

  bool skip(std::string_view word) {
    const bool found = peek().is(word);
    at_ += found ? 1 : 0;
    return found;
  }

  static bool is_name(const Token& token) {
    return token.kind == Token::Kind::word || token.kind == Token::Kind::quoted;
  }

  std::expected<void, TextError> columns(Names& names) {
    const bool several = skip("(");
    do {
      if (!is_name(peek())) return unexpected("the name of a column");
      names.push_back(tokens_[at_++].text);
    } while (several && skip(","));
    if (several && !skip(")")) return unexpected("\",\" or \")\"");
    return {};
  }

  /// Up to the parenthesis, or all but the last name.
  std::expected<void, TextError> table(Names& parts) {
    const std::size_t begin = peek().offset;
    std::size_t end = at_;
    while (tokens_[end].kind != Token::Kind::end && !tokens_[end].is("(")) ++end;
    if (tokens_[end].kind == Token::Kind::end && end > at_ + 1) --end;
    auto header = parse_header(text_.substr(begin, tokens_[end].offset - begin), "");
    if (!header) {
      header.error().offset += begin;
      return std::unexpected(header.error());
    }
    if (!header->filter.empty()) return std::unexpected(TextError{"a filter is not possible here", begin});
    parts = header->table;
    at_ = end;
    return {};
  }

  std::unexpected<TextError> unexpected(std::string_view wanted) const {
    const bool ended = peek().kind == Token::Kind::end;
    return std::unexpected(TextError{ended ? fmt::format("expected {} at the end", wanted)
                                           : fmt::format("expected {}, found \"{}\"", wanted, peek().text),
                                     peek().offset});
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

class ReferenceProbe final : public Probe {
 public:
  explicit ReferenceProbe(Relation relation) : relation_(std::move(relation)) {}

  std::string text() const override {
    return fmt::format("values in ({}) must {}exist in {} ({})", fmt::join(relation_.columns, ", "),
                       relation_.must_exist ? "" : "not ", fmt::join(relation_.table, "."),
                       fmt::join(relation_.other_columns, ", "));
  }
  std::vector<std::string> columns() const override { return relation_.columns; }

  Needs needs(const Dataset& dataset, const sql::Dialect& dialect) const override {
    const FailingRows rows = *failing_rows(dataset, dialect);
    std::string sql = fmt::format("SELECT count(*) FROM {}", rows.from);
    if (!rows.where.empty()) sql += fmt::format(" WHERE {}", rows.where);
    return {.statements = {{.sql = std::move(sql)}}};
  }

  std::optional<FailingRows> failing_rows(const Dataset& dataset, const sql::Dialect& dialect) const override {
    const std::string from = source(dataset, dialect);
    const std::string target = fmt::format("{} {}", dialect.table(relation_.table), kTarget);
    const std::string own_columns = fmt::format("{}.", kSource);
    std::string match;
    std::string given;
    for (std::size_t i = 0; i < relation_.columns.size(); ++i) {
      const std::string own = fmt::format("{}.{}", kSource, dialect.identifier(relation_.columns[i]));
      match += fmt::format("{}{}.{} = {}", i == 0 ? "" : " AND ", kTarget,
                           dialect.identifier(relation_.other_columns[i]), own);
      given += fmt::format("{}{} IS NOT NULL", i == 0 ? "" : " OR ", own);
    }
    if (!relation_.must_exist)
      return FailingRows{.from = fmt::format("{} JOIN {} ON {}", from, target, match), .columns_of = own_columns};
    // As Soda's outer join counts, in the form that every planner takes for an anti-join.
    return FailingRows{.from = from,
                       .where = fmt::format("({}) AND NOT EXISTS (SELECT 1 FROM {} WHERE {})", given, target, match),
                       .columns_of = own_columns};
  }

  Measured measure(const Findings& findings) const override {
    const core::Result<sql::Table>& answer = findings.answers.front();
    if (!answer || answer->rows.empty()) return {std::nullopt, "the tables could not be compared"};
    const auto count = to_number(answer->rows[0].at(0));
    if (!count) return {std::nullopt, "the tables could not be compared"};
    return {count, ""};
  }

  Verdict verdict(const Check& check, const Findings& findings) const override {
    const Measured measured = measure(findings);
    if (!measured.value) return cannot_tell(check, measured.problem);
    Verdict verdict;
    verdict.value = measured.value;
    verdict.outcome = *measured.value == 0 ? Outcome::pass : Outcome::fail;
    if (check.warn_when || check.fail_when) verdict.outcome = judge(check, measured).outcome;
    verdict.message = fmt::format("{} rows have ({}) that {} in {} ({})", show_number(*measured.value),
                                  fmt::join(relation_.columns, ", "), relation_.must_exist ? "is not" : "exists",
                                  fmt::join(relation_.table, "."), fmt::join(relation_.other_columns, ", "));
    return verdict;
  }

 private:
  static std::string source(const Dataset& dataset, const sql::Dialect& dialect) {
    const std::string table = dialect.table(dataset.table);
    if (dataset.where.empty()) return fmt::format("{} {}", table, kSource);
    // The filter knows nothing of the other table, whose columns may have the same names.
    return fmt::format("(SELECT * FROM {} WHERE ({}\n)) {}", table, dataset.where, kSource);
  }

  Relation relation_;
};

}  // namespace

bool is_reference_check(const config::Node& line, const config::Node&) { return line.text().starts_with("values in "); }

ProbePtr parse_reference_check(ProbeContext& context) {
  auto relation = Reader(context.line.text()).run();
  if (!relation) {
    context.error(relation.error().offset, relation.error().message);
    return nullptr;
  }
  return std::make_shared<ReferenceProbe>(std::move(*relation));
}

}  // namespace weir::quality
