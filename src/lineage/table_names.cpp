#include "lineage/table_names.h"

#include <algorithm>
#include <cctype>

namespace weir::lineage {
namespace {

constexpr std::size_t kMostAlike = 500;  // past it nothing is compared: each with each takes too long

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// A name and what it is compared by.
struct Name {
  core::Node node;
  std::string folded;
};

bool ends_with_name(std::string_view longer, std::string_view shorter) {
  if (longer == shorter) return true;
  return longer.size() > shorter.size() && longer.ends_with(shorter) &&
         longer[longer.size() - shorter.size() - 1] == '.';
}

void join(const std::vector<Name>& chain, const std::set<core::Node>& known, TableNames& names) {
  const auto has_series = [&](const Name& name) { return known.contains(name.node); };
  const auto found = std::ranges::find_if(chain, has_series);
  const core::Node& counts = found == chain.end() ? chain.front().node : found->node;
  for (const Name& name : chain) {
    if (name.node != counts) names.canonical.emplace(name.node, counts);
  }
}

/// All that share place and last part, the shortest first.
void join_alike(std::vector<Name> alike, const std::set<core::Node>& known, TableNames& names) {
  std::ranges::stable_sort(alike, {}, [](const Name& name) { return name.folded.size(); });
  std::set<core::Node> done;
  for (std::size_t i = 0; i < alike.size(); ++i) {
    if (done.contains(alike[i].node)) continue;
    std::vector<Name> chain{alike[i]};
    std::vector<core::Node> may_be;
    bool clear = true;
    for (std::size_t j = i + 1; j < alike.size(); ++j) {
      if (!ends_with_name(alike[j].folded, alike[i].folded)) continue;
      clear = clear && ends_with_name(alike[j].folded, chain.back().folded);
      chain.push_back(alike[j]);
      may_be.push_back(alike[j].node);
    }
    if (chain.size() == 1) continue;
    if (!clear) {
      names.unclear.emplace_back(alike[i].node, std::move(may_be));
      continue;
    }
    join(chain, known, names);
    for (const Name& name : chain) done.insert(name.node);
  }
}

}  // namespace

std::string last_part(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return lower(dot == std::string_view::npos ? name : name.substr(dot + 1));
}

bool may_be_same(std::string_view a, std::string_view b) {
  const std::string one = lower(a);
  const std::string other = lower(b);
  return ends_with_name(one, other) || ends_with_name(other, one);
}

TableNames join_table_names(const std::set<core::Node>& nodes, const std::set<core::Node>& known) {
  std::map<std::pair<std::string, std::string>, std::vector<Name>> groups;
  for (const core::Node& node : nodes) {
    if (node.kind == "table") groups[{node.place, last_part(node.name)}].push_back({node, lower(node.name)});
  }
  TableNames names;
  for (auto& [key, alike] : groups) {
    if (alike.size() > 1 && alike.size() <= kMostAlike) join_alike(std::move(alike), known, names);
  }
  return names;
}

}  // namespace weir::lineage
