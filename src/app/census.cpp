#include "app/census.h"

#include <algorithm>
#include <set>
#include <utility>

namespace weir::app {
namespace {

bool contradicts(const core::Labels& scope, const core::Labels& labels) {
  return std::ranges::any_of(scope, [&](const core::Labels::Pair& pair) {
    return labels.has(pair.first) && labels.get(pair.first) != pair.second;
  });
}

}  // namespace

void Census::expect(const std::vector<std::string>& sources) {
  sources_.clear();
  for (const std::string& source : sources) sources_.emplace(source, Source());
  expected_ = true;
}

void Census::take(std::string_view source, const core::Batch& batch) {
  const auto found = sources_.find(source);
  if (found == sources_.end()) return;
  Source& known = found->second;
  known.tried = true;
  ++known.seen;
  known.hidden[1] = std::exchange(known.hidden[0], {});
  for (const core::Fault& fault : batch.faults) known.hidden[0].push_back(fault.scope);
}

void Census::miss(std::string_view source) {
  const auto found = sources_.find(source);
  if (found == sources_.end()) return;
  found->second.tried = true;
  found->second.seen = 0;
}

bool Census::all_tried() const {
  return expected_ && std::ranges::all_of(sources_, [](const auto& entry) { return entry.second.tried; });
}

bool Census::covers(const core::Labels& labels) const {
  if (!expected_) return false;
  const auto hides = [&](const core::Labels& scope) { return !contradicts(scope, labels); };
  return std::ranges::all_of(sources_, [&](const auto& entry) {
    const Source& source = entry.second;
    return source.seen >= source.hidden.size() &&
           std::ranges::none_of(source.hidden, [&](const auto& scopes) { return std::ranges::any_of(scopes, hides); });
  });
}

std::vector<std::string> gone_sources(const std::vector<std::string>& known, const std::vector<std::string>& configured,
                                      const std::vector<std::string>& rule_groups) {
  std::set<std::string> alive{"self"};
  for (const std::string& source : configured) {
    alive.insert(source);
    alive.insert("status/" + source);
  }
  for (const std::string& group : rule_groups) alive.insert("rules/" + group);
  std::vector<std::string> gone;
  std::ranges::copy_if(known, std::back_inserter(gone), [&](const std::string& name) { return !alive.contains(name); });
  return gone;
}

}  // namespace weir::app
