#include "series/index.h"

#include <algorithm>
#include <bit>
#include <iterator>

namespace weir::series {
namespace {

// Rough costs in nanoseconds, to choose between trying a matcher on values and on series.
constexpr std::size_t kTryValue = 100;
constexpr std::size_t kTrySeries = 150;

void insert(std::vector<SeriesId>& ids, SeriesId id) {
  // Ids are reused once freed, so a new one is not always the largest.
  if (ids.empty() || ids.back() < id) {
    ids.push_back(id);
  } else {
    ids.insert(std::ranges::lower_bound(ids, id), id);
  }
}

bool marked(const std::vector<std::uint64_t>& marks, SeriesId id) { return ((marks[id / 64] >> (id % 64)) & 1U) != 0; }

std::vector<SeriesId> to_ids(const std::vector<std::uint64_t>& marks, std::size_t expected) {
  std::vector<SeriesId> ids;
  ids.reserve(expected);
  for (std::size_t word = 0; word < marks.size(); ++word) {
    for (std::uint64_t left = marks[word]; left != 0; left &= left - 1) {
      ids.push_back(static_cast<SeriesId>(word * 64 + static_cast<std::size_t>(std::countr_zero(left))));
    }
  }
  return ids;
}

/// Both ascending; `fewer` is no longer than `ids`.
std::vector<SeriesId> intersect(const std::vector<SeriesId>& fewer, const std::vector<SeriesId>& ids) {
  std::vector<SeriesId> both;
  if (ids.size() / 32 < fewer.size()) {
    std::ranges::set_intersection(fewer, ids, std::back_inserter(both));
    return both;
  }
  auto from = ids.begin();
  for (const SeriesId id : fewer) {
    from = std::lower_bound(from, ids.end(), id);
    if (from == ids.end()) break;
    if (*from == id) both.push_back(id);
  }
  return both;
}

}  // namespace

void LabelIndex::add(SeriesId id, const core::Labels& labels) {
  insert(all_, id);
  for (const auto& [name, value] : labels) {
    auto found = names_.find(name);
    if (found == names_.end()) found = names_.emplace(std::string(name), Label()).first;
    auto ids = found->second.values.find(value);
    if (ids == found->second.values.end()) ids = found->second.values.emplace(std::string(value), Ids()).first;
    insert(ids->second, id);
    ++found->second.series;
  }
}

void LabelIndex::remove_if(const std::function<bool(SeriesId)>& gone) {
  std::erase_if(all_, gone);
  for (auto& [name, label] : names_) {
    for (auto& [value, ids] : label.values) label.series -= std::erase_if(ids, gone);
    std::erase_if(label.values, [](const auto& entry) { return entry.second.empty(); });
  }
  std::erase_if(names_, [](const auto& entry) { return entry.second.values.empty(); });
}

const LabelIndex::Label* LabelIndex::label(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : &found->second;
}

LabelIndex::Lists LabelIndex::lists_of_words(const Matcher& matcher) const {
  Lists lists;
  const Label* known = label(matcher.name());
  if (known == nullptr) return lists;
  for (const std::string& word : matcher.words()) {
    if (const auto ids = known->values.find(word); ids != known->values.end()) lists.add(ids->second);
  }
  return lists;
}

/// Of the values that match where the matcher demands one, else of those that do not.
LabelIndex::Lists LabelIndex::lists_of_values(const Label& label, const Matcher& matcher) const {
  Lists lists;
  for (const auto& [value, ids] : label.values) {
    if (matcher.accepts(value) == matcher.demands_value()) lists.add(ids);
  }
  return lists;
}

std::vector<std::uint64_t> LabelIndex::marks(const Lists& lists) const {
  std::vector<std::uint64_t> marks(all_.empty() ? 0 : all_.back() / 64 + 1);
  for (const Ids* ids : lists.of) {
    for (const SeriesId id : *ids) marks[id / 64] |= std::uint64_t{1} << (id % 64);
  }
  return marks;
}

void LabelIndex::keep(std::optional<Ids>& ids, const Lists& lists) const {
  if (lists.of.size() == 1) {
    const Ids& list = *lists.of.front();
    ids = !ids ? list : ids->size() < list.size() ? intersect(*ids, list) : intersect(list, *ids);
    return;
  }
  const auto wanted = marks(lists);
  if (!ids) {
    ids = to_ids(wanted, lists.total);
  } else {
    std::erase_if(*ids, [&](SeriesId id) { return !marked(wanted, id); });
  }
}

void LabelIndex::drop(std::optional<Ids>& ids, const Lists& lists) const {
  if (lists.total == 0) return;
  if (!ids) ids = all_;
  const auto unwanted = marks(lists);
  std::erase_if(*ids, [&](SeriesId id) { return marked(unwanted, id); });
}

void LabelIndex::narrow(std::optional<Ids>& ids, const Matcher& matcher, const LabelsOf& labels_of) const {
  const Label* known = label(matcher.name());
  if (known == nullptr) {
    if (matcher.demands_value()) ids = Ids();
    return;
  }
  const std::size_t left = ids ? ids->size() : all_.size();
  const bool look_up = matcher.lists_words() && matcher.excludes() && !matcher.demands_value();
  const std::size_t tries = look_up ? matcher.words().size() : known->values.size();
  if (tries * kTryValue + known->series > left * kTrySeries) {
    if (!ids) ids = all_;
    std::erase_if(*ids, [&](SeriesId id) { return !matcher.accepts(labels_of(id).get(matcher.name())); });
  } else if (look_up) {
    drop(ids, lists_of_words(matcher));
  } else if (matcher.demands_value()) {
    keep(ids, lists_of_values(*known, matcher));
  } else {
    drop(ids, lists_of_values(*known, matcher));
  }
}

LabelIndex::Ids LabelIndex::find(std::span<const Matcher> matchers, const LabelsOf& labels_of) const {
  std::vector<Lists> wanted;
  std::vector<const Matcher*> others;
  for (const Matcher& matcher : matchers) {
    if (matcher.accepts_all()) continue;
    if (matcher.lists_words() && !matcher.excludes() && matcher.demands_value()) {
      wanted.push_back(lists_of_words(matcher));
      if (wanted.back().total == 0) return {};
    } else {
      others.push_back(&matcher);
    }
  }
  std::ranges::sort(wanted, {}, &Lists::total);
  std::optional<Ids> ids;
  for (const Lists& lists : wanted) keep(ids, lists);
  std::ranges::stable_sort(others, std::greater(), &Matcher::demands_value);
  for (const Matcher* matcher : others) {
    if (ids && ids->empty()) break;
    narrow(ids, *matcher, labels_of);
  }
  return ids ? std::move(*ids) : all_;
}

std::vector<std::string> LabelIndex::label_names() const {
  std::vector<std::string> names;
  for (const auto& [name, label] : names_) names.push_back(name);
  return names;
}

std::vector<std::string> LabelIndex::label_values(std::string_view name) const {
  std::vector<std::string> values;
  const Label* known = label(name);
  if (known == nullptr) return values;
  values.reserve(known->values.size());
  for (const auto& [value, ids] : known->values) values.push_back(value);
  std::ranges::sort(values);
  return values;
}

}  // namespace weir::series
