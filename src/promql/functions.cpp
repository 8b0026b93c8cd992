#include "promql/functions.h"

#include <algorithm>
#include <array>

#include "promql/function_groups.h"

namespace weir::promql {
namespace {

const std::vector<Function>& table() {
  static const std::vector<Function> functions = [] {
    std::vector<Function> all;
    for (const auto& group :
         {range_functions(), instant_functions(), date_functions(), label_functions(), histogram_functions()}) {
      all.insert(all.end(), group.begin(), group.end());
    }
    std::ranges::sort(all, {}, &Function::name);
    return all;
  }();
  return functions;
}

}  // namespace

const Function* find_function(std::string_view name) {
  const auto found = std::ranges::lower_bound(table(), name, {}, &Function::name);
  return found == table().end() || found->name != name ? nullptr : &*found;
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const Function& function : table()) names.emplace_back(function.name);
  return names;
}

std::string_view why_missing(std::string_view name) {
  if (name == "holt_winters") return "it was renamed to double_exponential_smoothing";
  if (name == "info") return "it is experimental in Prometheus and not supported";
  static constexpr std::array<std::string_view, 5> kNative{"histogram_avg", "histogram_count", "histogram_stddev",
                                                           "histogram_stdvar", "histogram_sum"};
  if (std::ranges::find(kNative, name) != kNative.end()) return "native histograms are not supported";
  return {};
}

}  // namespace weir::promql
