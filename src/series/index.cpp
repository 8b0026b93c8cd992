#include "series/index.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <re2/re2.h>

namespace weir::series {

void LabelIndex::add(SeriesId id, const core::Labels& labels) {
  for (const auto& [name, value] : labels) {
    auto found = names_.find(name);
    if (found == names_.end()) found = names_.emplace(std::string(name), Values()).first;
    auto ids = found->second.find(value);
    if (ids == found->second.end()) ids = found->second.emplace(std::string(value), std::vector<SeriesId>()).first;
    std::vector<SeriesId>& list = ids->second;
    // Ids are reused once freed, so a new one is not always the largest.
    if (list.empty() || list.back() < id) {
      list.push_back(id);
    } else {
      list.insert(std::ranges::lower_bound(list, id), id);
    }
  }
}

void LabelIndex::remove_if(const std::function<bool(SeriesId)>& gone) {
  for (auto& [name, values] : names_) {
    for (auto& [value, ids] : values) std::erase_if(ids, gone);
    std::erase_if(values, [](const auto& entry) { return entry.second.empty(); });
  }
  std::erase_if(names_, [](const auto& entry) { return entry.second.empty(); });
}

std::optional<std::vector<SeriesId>> LabelIndex::candidates(std::span<const core::Matcher> matchers) const {
  std::vector<const std::vector<SeriesId>*> lists;
  for (const core::Matcher& matcher : matchers) {
    if (matcher.op != core::MatchOp::equal || matcher.value.empty()) continue;
    const auto name = names_.find(matcher.name);
    if (name == names_.end()) return std::vector<SeriesId>();
    const auto ids = name->second.find(matcher.value);
    if (ids == name->second.end()) return std::vector<SeriesId>();
    lists.push_back(&ids->second);
  }
  if (lists.empty()) return std::nullopt;
  std::ranges::sort(lists, {}, [](const auto* list) { return list->size(); });
  std::vector<SeriesId> result = *lists.front();
  for (std::size_t i = 1; i < lists.size() && !result.empty(); ++i) {
    std::vector<SeriesId> both;
    std::ranges::set_intersection(result, *lists[i], std::back_inserter(both));
    result = std::move(both);
  }
  return result;
}

std::vector<std::string> LabelIndex::label_names() const {
  std::vector<std::string> names;
  for (const auto& [name, values] : names_) names.push_back(name);
  return names;
}

std::vector<std::string> LabelIndex::label_values(std::string_view name) const {
  std::vector<std::string> values;
  const auto found = names_.find(name);
  if (found == names_.end()) return values;
  for (const auto& [value, ids] : found->second) values.push_back(value);
  std::ranges::sort(values);
  return values;
}

core::Result<CompiledMatchers> CompiledMatchers::compile(std::span<const core::Matcher> matchers) {
  CompiledMatchers compiled;
  for (const core::Matcher& matcher : matchers) {
    const bool wanted = matcher.op == core::MatchOp::equal || matcher.op == core::MatchOp::regex;
    if (matcher.op == core::MatchOp::equal || matcher.op == core::MatchOp::not_equal) {
      compiled.tests_.emplace_back([name = matcher.name, value = matcher.value, wanted](const core::Labels& labels) {
        return (labels.get(name) == value) == wanted;
      });
      continue;
    }
    RE2::Options options(RE2::Quiet);
    options.set_dot_nl(true);  // as Prometheus 3 does
    auto regex = std::make_shared<RE2>(matcher.value, options);
    if (!regex->ok()) {
      return core::fail(core::ErrorKind::invalid,
                        "\"" + matcher.value + "\" is not a regular expression: " + regex->error());
    }
    compiled.tests_.emplace_back([name = matcher.name, regex, wanted](const core::Labels& labels) {
      const std::string_view value = labels.get(name);
      return RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex) == wanted;
    });
  }
  return compiled;
}

bool CompiledMatchers::match(const core::Labels& labels) const {
  return std::ranges::all_of(tests_, [&](const auto& test) { return test(labels); });
}

}  // namespace weir::series
