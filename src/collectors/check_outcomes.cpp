#include "collectors/check_outcomes.h"

namespace weir::collectors {
namespace {

constexpr std::size_t kMostTold = 20'000;
constexpr int kWorst = 3;

using Outcomes = std::map<core::Node, std::map<std::string, CheckOutcome>>;

Outcomes outcomes_of(const core::Batch& batch) {
  Outcomes outcomes;
  const auto check_of = [&](const core::Labels& labels) -> CheckOutcome* {
    const auto dataset =
        outcomes.find({"table", std::string(labels.get("source")), std::string(labels.get("dataset"))});
    if (dataset == outcomes.end()) return nullptr;
    const auto check = dataset->second.find(std::string(labels.get("check")));
    return check == dataset->second.end() ? nullptr : &check->second;
  };
  for (const core::Sample& sample : batch.samples) {
    if (sample.labels.name() != "weir_check_status" || !(sample.value >= 0 && sample.value <= kWorst)) continue;
    const core::Node node{"table", std::string(sample.labels.get("source")), std::string(sample.labels.get("dataset"))};
    outcomes[node][std::string(sample.labels.get("check"))].outcome = static_cast<int>(sample.value);
  }
  for (const core::Sample& sample : batch.samples) {
    const bool value = sample.labels.name() == "weir_check_value";
    if (!value && sample.labels.name() != "weir_check_info") continue;
    CheckOutcome* check = check_of(sample.labels);
    if (check == nullptr) continue;
    if (value) check->value = sample.value;
    for (const char* name : {"owner", "severity", "dimension"}) {
      if (!value && !sample.labels.get(name).empty()) check->attributes[name] = sample.labels.get(name);
    }
  }
  return outcomes;
}

}  // namespace

std::vector<DatasetOutcomes> CheckOutcomes::take(std::string_view collector, const core::Batch& batch, core::Time now) {
  std::vector<DatasetOutcomes> due;
  for (auto& [node, checks] : outcomes_of(batch)) {
    const std::pair key(std::string(collector), node);
    const auto known = told_.find(key);
    if (known == told_.end() && told_.size() >= kMostTold) continue;
    DatasetOutcomes dataset{node, known == told_.end() || now - known->second.all_at >= every_, std::move(checks)};
    Told& told = told_[key];
    std::map<std::string, int> outcomes;
    for (const auto& [name, check] : dataset.checks) outcomes.emplace(name, check.outcome);
    const bool changed = dataset.all || outcomes != told.outcomes;
    if (changed && whole_) dataset.all = true;
    for (auto& [name, check] : dataset.checks) {
      const auto before = told.outcomes.find(name);
      check.fresh = before == told.outcomes.end();
      check.due = dataset.all || check.fresh || before->second != check.outcome;
    }
    told.outcomes = std::move(outcomes);
    if (dataset.all) told.all_at = now;
    if (changed) due.push_back(std::move(dataset));
  }
  return due;
}

}  // namespace weir::collectors
