#include "storage/search.h"

#include <algorithm>
#include <tuple>

#include "storage/json_values.h"

namespace weir::storage {
namespace {

using State = core::IncidentSearch::State;

bool found_by(const core::Incident& incident, const core::IncidentSearch& wanted) {
  if (wanted.state != State::all && incident.open() != (wanted.state == State::open)) return false;
  if (!wanted.owner.empty() && incident.handling.owner != wanted.owner) return false;
  if (!wanted.severity.empty() && incident.severity != wanted.severity) return false;
  if (!has_label(incident, wanted.label_name, wanted.label_value)) return false;
  if (wanted.from && incident.resolved_at.value_or(*wanted.from) < *wanted.from) return false;
  if (wanted.to && incident.opened_at > *wanted.to) return false;
  if (wanted.before && !(incident.opened_at < *wanted.before ||
                         (incident.opened_at == *wanted.before && incident.id > wanted.before_id)))
    return false;
  const std::string text = wanted.words.empty() ? std::string() : write_search_text(incident);
  return std::ranges::all_of(wanted.words, [&](const std::string& word) { return text.contains(searchable(word)); });
}

}  // namespace

bool has_label(const core::Incident& incident, const std::string& name, const std::string& value) {
  const auto has = [&](const core::Labels& labels) { return labels.has(name) && labels.get(name) == value; };
  return name.empty() || has(incident.labels) || std::ranges::any_of(incident.alerts, has, &core::Alert::labels);
}

std::vector<core::Incident> search(std::vector<core::Incident> incidents, const core::IncidentSearch& wanted,
                                   std::size_t limit) {
  std::erase_if(incidents, [&](const core::Incident& incident) { return !found_by(incident, wanted); });
  std::ranges::sort(incidents, [](const core::Incident& a, const core::Incident& b) {
    return std::tie(b.opened_at, a.id) < std::tie(a.opened_at, b.id);
  });
  if (incidents.size() > limit) incidents.resize(limit);
  return incidents;
}

}  // namespace weir::storage
