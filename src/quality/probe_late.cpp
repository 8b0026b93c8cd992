#include <fmt/format.h>

#include "quality/gate.h"
#include "quality/metric_probes.h"

namespace weir::quality {
namespace {

/// late_count(event_time, loaded_at) with `bucket: 1h` and `lateness: 10m`: rows that came into a bucket of event time
/// after it had been measured, that is more than `lateness` after its end. What was reported of that bucket was wrong
/// by them.
class Late final : public Probe {
 public:
  Late(bool percent, std::string event, std::string loaded, core::Duration bucket, core::Duration lateness, Scope scope)
      : percent_(percent),
        event_(std::move(event)),
        loaded_(std::move(loaded)),
        bucket_(bucket),
        lateness_(lateness),
        scope_(std::move(scope)) {}

  std::string text() const override {
    return fmt::format("{}({}, {})", percent_ ? "late_percent" : "late_count", event_, loaded_);
  }
  std::string identity() const override {
    return fmt::format("{} {{bucket {}, lateness {}, {}}}", text(), core::format_duration(bucket_),
                       core::format_duration(lateness_), scope_.identity());
  }
  std::vector<std::string> columns() const override { return {event_, loaded_}; }
  Unit unit() const override { return percent_ ? Unit::percent : Unit::plain; }
  bool may_change() const override { return true; }

  Needs needs(const Dataset&, const sql::Dialect& dialect) const override {
    const bool moves = !is_stable(scope_.filter, dialect.name());
    return {.aggregates = {{.sql = ScopeSql(scope_, dialect).rows(), .moves = moves, .merge = Merge::count},
                           {.sql = count_sql(dialect), .column = event_, .moves = moves, .merge = Merge::count}}};
  }

  Measured measure(const Findings& findings) const override {
    Measured count = measure_number(findings.scan.value(count_sql(findings.dialect)), findings.scan, event_);
    if (!percent_ || !count.value) return count;
    const double rows = to_number(findings.scan.value(ScopeSql(scope_, findings.dialect).rows())).value_or(0);
    *count.value = rows > 0 ? *count.value * 100 / rows : 0;
    return count;
  }

 private:
  std::string count_sql(const sql::Dialect& dialect) const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(bucket_).count();
    const std::string closed = fmt::format("{} + {}", dialect.time_bucket(dialect.identifier(event_), seconds),
                                           dialect.number_literal(core::to_seconds(bucket_ + lateness_)));
    return ScopeSql(scope_, dialect)
        .count(fmt::format("{} > {}", dialect.epoch_seconds(dialect.identifier(loaded_)), closed));
  }

  bool percent_;
  std::string event_;
  std::string loaded_;
  core::Duration bucket_;
  core::Duration lateness_;
  Scope scope_;
};

core::Duration read_duration(const ProbeContext& context, std::string_view key, core::Duration otherwise) {
  const config::Node* node = context.reader.child(key);
  if (node == nullptr) return otherwise;
  const auto duration = core::parse_duration(node->text());
  if (duration) return *duration;
  context.error(*node, fmt::format("\"{}\": {}", key, duration.error().message));
  return otherwise;
}

}  // namespace

ProbePtr parse_late(ProbeContext& context) {
  const Expression& expression = context.expression;
  const std::size_t errors = context.diagnostics.errors().size();
  const auto& arguments = expression.arguments;
  if (arguments.size() != 2 || !arguments[0].minus.empty() || !arguments[1].minus.empty()) {
    context.error(expression.metric_offset,
                  fmt::format("{0} is about the time of the event and the time of its load; write {0}(event_time, "
                              "loaded_at)",
                              expression.metric));
    return nullptr;
  }
  const core::Duration bucket = read_duration(context, "bucket", std::chrono::hours(1));
  const core::Duration lateness = read_duration(context, "lateness", core::Duration::zero());
  if (bucket < std::chrono::seconds(1) || bucket > std::chrono::days(31) ||
      bucket % std::chrono::seconds(1) != core::Duration::zero()) {
    context.reader.error("bucket", "must be whole seconds, from 1s to 31d");
  }
  if (lateness < core::Duration::zero()) context.reader.error("lateness", "must not be negative");
  Scope scope = context.rows("");
  if (context.diagnostics.errors().size() != errors) return nullptr;
  return std::make_shared<Late>(expression.metric == "late_percent", arguments[0].text, arguments[1].text, bucket,
                                lateness, std::move(scope));
}

}  // namespace weir::quality
