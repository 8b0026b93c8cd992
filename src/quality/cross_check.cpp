#include "quality/cross_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "quality/expression.h"
#include "quality/lexer.h"

namespace weir::quality {
namespace {

constexpr std::string_view kBeginning = "row_count same as";

struct Other {
  std::vector<std::string> table;
  std::string filter;
  std::string where;
  std::string source;
};

class CrossProbe final : public Probe {
 public:
  explicit CrossProbe(Other other) : other_(std::move(other)) {}

  std::string text() const override { return fmt::format("{} {}", kBeginning, name()); }
  std::string identity() const override { return fmt::format("{} {}", text(), other_.where); }

  Needs needs(const Dataset&, const sql::Dialect&) const override {
    return {.statements = {{.sql = {}, .source = other_.source, .count_of = other_.table, .where = other_.where}}};
  }

  Measured measure(const Findings& findings) const override {
    const auto own = to_number(findings.scan.value("count(*)"));
    const core::Result<sql::Table>& answer = findings.answers.front();
    if (!own) return {std::nullopt, "the table gave no row count"};
    const auto other = answer && !answer->rows.empty() ? to_number(answer->rows[0].at(0)) : std::nullopt;
    if (!other) return {std::nullopt, fmt::format("{} gave no row count", name())};
    return {*own - *other, ""};
  }

  Verdict verdict(const Check& check, const Findings& findings) const override {
    const Measured measured = measure(findings);
    if (!measured.value) return cannot_tell(check, measured.problem);
    const double own = findings.scan.row_count();
    Verdict verdict;
    verdict.value = measured.value;
    verdict.outcome = *measured.value == 0 ? Outcome::pass : Outcome::fail;
    if (check.warn_when || check.fail_when) verdict.outcome = judge(check, measured).outcome;
    verdict.message =
        fmt::format("row_count is {}, {} has {}", show_number(own), name(), show_number(own - *measured.value));
    return verdict;
  }

 private:
  std::string name() const {
    std::string name = fmt::format("{}", fmt::join(other_.table, "."));
    if (!other_.filter.empty()) name += fmt::format(" [{}]", other_.filter);
    if (!other_.source.empty()) name += " in " + other_.source;
    return name;
  }

  Other other_;
};

/// Where " in <source>" begins and what it names; the line's end and "" without it.
std::pair<std::size_t, std::string> source_of(const std::vector<Token>& tokens, std::size_t end) {
  if (tokens.size() < 4) return {end, ""};
  const Token& word = tokens[tokens.size() - 3];
  const Token& source = tokens[tokens.size() - 2];
  const bool named = source.kind == Token::Kind::word || source.kind == Token::Kind::quoted;
  return word.is("in") && named ? std::pair{word.offset, source.text} : std::pair{end, std::string()};
}

}  // namespace

bool is_cross_check(const config::Node& line, const config::Node&) {
  return line.text().starts_with(fmt::format("{} ", kBeginning));
}

ProbePtr parse_cross_check(ProbeContext& context) {
  const std::string& text = context.line.text();
  const auto tokens = tokenize(text);
  if (!tokens) {
    context.error(tokens.error().offset, tokens.error().message);
    return nullptr;
  }
  Other other;
  const auto [end, source] = source_of(*tokens, text.size());
  other.source = source;
  auto header = parse_header(text.substr(0, end), kBeginning);
  if (!header) {
    context.error(header.error().offset, header.error().message);
    return nullptr;
  }
  other.table = std::move(header->table);
  other.filter = std::move(header->filter);
  if (!other.filter.empty()) {
    const std::string* where = context.around.filter ? context.around.filter(other.table, other.filter) : nullptr;
    if (where == nullptr) {
      context.error(0,
                    fmt::format("filter \"{0}\" of that table is not declared in this file; add \"filter {1} [{0}]:\"",
                                other.filter, fmt::join(other.table, ".")));
      return nullptr;
    }
    other.where = *where;
  }
  return std::make_shared<CrossProbe>(std::move(other));
}

}  // namespace weir::quality
