#include <fmt/format.h>
#include <numeric>

#include "config/node.h"
#include "quality/metric_probes.h"
#include "quality/reference.h"

namespace weir::quality {
namespace {

/// The population stability index of a column against a reference.
class Distribution final : public Probe {
 public:
  Distribution(std::string column, Reference reference)
      : column_(std::move(column)), reference_(std::move(reference)) {}

  std::string text() const override {
    return reference_.name.empty() ? fmt::format("distribution_difference({})", column_)
                                   : fmt::format("distribution_difference({}, {})", column_, reference_.name);
  }
  std::vector<std::string> columns() const override { return {column_}; }
  std::string_view series() const override { return "weir_dataset_distribution_psi"; }

  Needs needs(const Dataset&, const sql::Dialect& dialect) const override {
    Needs needs;
    for (std::string& bin : bins(dialect))
      needs.aggregates.push_back({.sql = std::move(bin), .column = column_, .merge = Merge::count});
    return needs;
  }

  Measured measure(const Findings& findings) const override {
    std::vector<double> counts;
    for (const std::string& bin : bins(findings.dialect)) {
      const auto count = to_number(findings.scan.value(bin));
      if (!count) return {std::nullopt, fmt::format("{} could not be counted", column_)};
      counts.push_back(*count);
    }
    if (std::accumulate(counts.begin(), counts.end(), 0.0) <= 0) return {std::nullopt, absence(findings.scan, column_)};
    return {population_stability_index(counts, reference_), ""};
  }

 private:
  std::vector<std::string> bins(const sql::Dialect& dialect) const {
    return dialect.histogram(dialect.identifier(column_), reference_.edges);
  }

  std::string column_;
  Reference reference_;
};

}  // namespace

ProbePtr parse_distribution(ProbeContext& context) {
  const Expression& expression = context.expression;
  const std::size_t errors = context.diagnostics.errors().size();
  if (expression.arguments.empty() || expression.arguments.size() > 2) return one_column(context), nullptr;
  const std::string& column = expression.arguments[0].text;
  const std::string name = expression.arguments.size() > 1 ? expression.arguments[1].text : "";
  if (const config::Node* method = context.reader.child("method"); method == nullptr || method->text() != "psi") {
    context.error(method == nullptr ? context.line : *method, "write \"method: psi\"; other methods are not supported");
  }
  constexpr std::string_view kFile = "distribution reference file";
  const std::string file = context.setting(kFile);
  if (file.empty()) {
    if (!context.reader.has(kFile)) context.error(context.line, fmt::format("key \"{}\" is missing", kFile));
    return nullptr;
  }
  const std::string path = context.beside(file);
  const auto content = config::read_file(path);
  if (!content) {
    context.reader.error(kFile, fmt::format("\"{}\" {}", path, content.error().message));
    return nullptr;
  }
  const config::Node root = config::parse_yaml(*content, path, context.diagnostics);
  if (context.diagnostics.errors().size() != errors) return nullptr;
  Reference reference = parse_reference(root, name, column, context.diagnostics);
  if (context.diagnostics.errors().size() != errors) return nullptr;
  return std::make_shared<Distribution>(column, std::move(reference));
}

}  // namespace weir::quality
