#include "quality/dry_run.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

namespace weir::quality {
namespace {

using nlohmann::json;

std::string text_of(const sql::Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? "" : *text;
}

/// PostgreSQL: {"Plan": {"Node Type", "Relation Name", "Total Cost", "Plan Rows", "Plans": […]}}.
void read_postgres_plan(const json& node, PlannedStatement& statement, int depth) {
  if (!node.is_object() || depth > 20 || statement.plan.size() >= 20) return;
  const std::string relation = node.value("Relation Name", "");
  if (!relation.empty()) {
    statement.plan.push_back(node.value("Node Type", "") + " on " + relation);
    statement.rows = std::max(statement.rows.value_or(0), node.value("Plan Rows", 0.0));
  }
  for (const json& child : node.value("Plans", json::array())) read_postgres_plan(child, statement, depth + 1);
}

void explain_postgres(const sql::Table& answer, PlannedStatement& statement) {
  const std::string text = answer.rows.empty() || answer.rows[0].empty() ? "" : text_of(answer.rows[0][0]);
  const json root = json::parse(text, nullptr, false);
  if (!root.is_array() || root.empty() || !root[0].is_object() || !root[0].contains("Plan")) return;
  const json& plan = root[0]["Plan"];
  if (plan.contains("Total Cost") && plan["Total Cost"].is_number()) statement.cost = plan["Total Cost"].get<double>();
  read_postgres_plan(plan, statement, 0);
}

/// SQLite: id, parent, notused, detail.
void explain_sqlite(const sql::Table& answer, PlannedStatement& statement) {
  for (const sql::Row& row : answer.rows) {
    if (row.size() == 4 && statement.plan.size() < 20) statement.plan.push_back(text_of(row[3]));
  }
}

/// MariaDB and MySQL: {"query_block": {"cost" or "cost_info": {"query_cost"}, … "table": {"table_name", "access_type",
/// "key", "rows" or "rows_examined_per_scan"}}}; MariaDB tells a cost since version 11.
void read_mysql_plan(const json& node, PlannedStatement& statement, int depth) {
  if (depth > 40 || statement.plan.size() >= 20) return;
  if (node.is_object() && node.contains("table_name") && node["table_name"].is_string()) {
    const std::string access = node.value("access_type", "");
    const std::string key = node.value("key", "");
    statement.plan.push_back((access == "ALL" ? "full scan" : "access by " + access) + " on " +
                             node["table_name"].get<std::string>() + (key.empty() ? "" : ", key " + key));
    for (const char* rows : {"rows", "rows_examined_per_scan"}) {
      if (!node.contains(rows) || !node[rows].is_number()) continue;
      statement.rows = std::max(statement.rows.value_or(0), node[rows].get<double>());
    }
  }
  if (!node.is_structured()) return;
  for (const json& child : node) read_mysql_plan(child, statement, depth + 1);
}

void explain_mysql(const sql::Table& answer, PlannedStatement& statement) {
  const std::string text = answer.rows.empty() || answer.rows[0].empty() ? "" : text_of(answer.rows[0][0]);
  const json root = json::parse(text, nullptr, false);
  if (!root.is_object() || !root.contains("query_block") || !root["query_block"].is_object()) return;
  const json& block = root["query_block"];
  if (block.contains("cost") && block["cost"].is_number()) statement.cost = block["cost"].get<double>();
  if (block.contains("cost_info") && block["cost_info"].is_object()) {
    const std::string cost = block["cost_info"].value("query_cost", "");
    char* end = nullptr;
    const double number = std::strtod(cost.c_str(), &end);
    if (end != cost.c_str()) statement.cost = number;
  }
  read_mysql_plan(block, statement, 0);
}

struct Explainer {
  std::string_view dialect;
  std::string_view prefix;
  void (*read)(const sql::Table& answer, PlannedStatement& statement);
};
constexpr Explainer kExplainers[] = {
    {"postgres", "EXPLAIN (FORMAT JSON) ", explain_postgres},
    {"sqlite", "EXPLAIN QUERY PLAN ", explain_sqlite},
    {"mysql", "EXPLAIN FORMAT=JSON ", explain_mysql},
};

/// Stands for a session: notes and explains, and answers with NULLs.
class DrySource final : public sql::SqlSource {
 public:
  DrySource(sql::SqlSource& real, std::string name, std::set<std::string> catalog, std::vector<PlannedStatement>& log)
      : real_(real), name_(std::move(name)), catalog_(std::move(catalog)), log_(log) {}

  std::string_view name() const override { return real_.name(); }
  const sql::Dialect& dialect() const override { return real_.dialect(); }
  core::Result<void> connect(const sql::QueryLimits& limits) override { return real_.connect(limits); }
  void of(std::string dataset) { dataset_ = std::move(dataset); }

  core::Result<sql::Table> query(const std::string& text, const std::vector<sql::Value>& parameters,
                                 const sql::QueryLimits& limits) override {
    PlannedStatement statement{name_, dataset_, text, catalog_.contains(text), {}, {}, {}, {}};
    if (statement.catalog) {
      log_.push_back(std::move(statement));
      return real_.query(text, parameters, limits);
    }
    if (reads_no_rows(text) || text.starts_with("EXPLAIN ")) return real_.query(text, parameters, limits);
    auto shape = real_.query(dialect().without_rows(text), parameters, limits);
    if (!shape && shape.error().kind == core::ErrorKind::invalid) {
      // It may have a limit of its own, and takes no second one.
      const std::string inside = "SELECT * FROM (" + text + "\n) weir_plan";
      if (auto wrapped = real_.query(dialect().without_rows(inside), parameters, limits)) shape = std::move(wrapped);
    }
    if (!shape) {
      statement.problem = shape.error().message;
      log_.push_back(std::move(statement));
      return shape;
    }
    explain(parameters, limits, statement);
    log_.push_back(std::move(statement));
    shape->rows.assign(1, sql::Row(shape->columns.size()));
    return shape;
  }

 private:
  /// How a scan finds out which of its expressions is refused: it cannot be wrapped once more.
  bool reads_no_rows(const std::string& text) const {
    constexpr std::string_view kInside = "?";
    const std::string wrapped = dialect().without_rows(kInside);
    const std::size_t at = wrapped.find(kInside);
    return text.starts_with(wrapped.substr(0, at)) && text.ends_with(wrapped.substr(at + kInside.size()));
  }

  void explain(const std::vector<sql::Value>& parameters, const sql::QueryLimits& limits, PlannedStatement& statement) {
    const auto known = std::ranges::find(kExplainers, dialect().name(), &Explainer::dialect);
    if (known == std::end(kExplainers)) return;
    const auto answer = real_.query(std::string(known->prefix) + statement.sql, parameters, limits);
    if (!answer) return;
    try {
      known->read(*answer, statement);
    } catch (const json::exception&) {
      statement.plan.clear();  // an answer of another shape than is documented
    }
  }

  sql::SqlSource& real_;
  const std::string name_;
  const std::set<std::string> catalog_;
  std::vector<PlannedStatement>& log_;
  std::string dataset_;
};

std::set<std::string> catalog_queries(std::span<const Dataset> datasets, const sql::Dialect& dialect) {
  std::set<std::string> queries = {dialect.tables()};
  for (const Dataset& dataset : datasets) {
    queries.insert(dialect.columns_of(dataset.table));
    queries.insert(dialect.kind_of(dataset.table));
    for (const auto& query : {dialect.unique_indexes_of(dataset.table), dialect.row_estimate(dataset.table),
                              dialect.change_counters(dataset.table)}) {
      if (query) queries.insert(*query);
    }
  }
  return queries;
}

}  // namespace

core::Result<std::vector<PlannedStatement>> dry_run(std::span<const Dataset> datasets, const std::string& source,
                                                    sql::SqlSource& session, const SourceByName& other, core::Time now,
                                                    const sql::QueryLimits& limits) {
  std::vector<PlannedStatement> log;
  DrySource dry(session, source, catalog_queries(datasets, session.dialect()), log);
  std::map<std::string, std::unique_ptr<DrySource>> others;
  std::string label;
  const SourceByName dry_other = [&](const std::string& name) -> core::Result<sql::SqlSource*> {
    if (const auto known = others.find(name); known != others.end()) return known->second.get();
    if (!other) return core::fail(core::ErrorKind::not_found, "there is no source \"" + name + "\"");
    const auto real = other(name);
    if (!real) return std::unexpected(real.error());
    auto made = std::make_unique<DrySource>(**real, name, catalog_queries(datasets, (*real)->dialect()), log);
    made->of(label);
    return (others[name] = std::move(made)).get();
  };
  CheckRun run({.source = source, .session = dry, .other = dry_other});
  for (const Dataset& dataset : datasets) {
    label = dataset.label();
    dry.of(label);
    for (const auto& [name, each] : others) each->of(label);
    const auto done = run.run({&dataset, 1}, now, limits);
    const bool lost = !done && (done.error().kind == core::ErrorKind::unavailable || log.empty());
    if (lost) return std::unexpected(done.error());
  }
  return log;
}

}  // namespace weir::quality
