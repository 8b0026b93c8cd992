#include "quality/probe.h"

#include <algorithm>

namespace weir::quality {

Verdict Probe::verdict(const Check& check, const Findings& findings) const { return judge(check, measure(findings)); }

std::optional<core::Time> Probe::newest(const Findings&) const { return std::nullopt; }

std::optional<FailingRows> Probe::failing_rows(const Dataset&, const sql::Dialect&) const { return std::nullopt; }

std::vector<GroupValue> Probe::groups(const Findings&) const { return {}; }

std::optional<core::Time> load_time(const Findings& findings) {
  std::optional<core::Time> load;
  for (const Check& check : findings.dataset.checks) {
    const auto newest = check.probe->newest(findings);
    if (newest) load = load ? std::max(*load, *newest) : *newest;
  }
  return load;
}

}  // namespace weir::quality
