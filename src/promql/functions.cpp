#include "promql/functions.h"

#include <algorithm>
#include <map>

#include "promql/function_groups.h"

namespace weir::promql {
namespace {

using enum ValueType;

const std::vector<Function>& table() {
  static const std::vector<Function> functions = [] {
    std::vector<Function> all;
    for (const auto& group : {range_functions(), instant_functions(), label_functions()}) {
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

}  // namespace weir::promql
