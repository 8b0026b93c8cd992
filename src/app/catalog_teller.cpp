#include "app/catalog_teller.h"

#include <utility>
#include <vector>

#include "collectors/datahub_emitted.h"

#include "lineage/catalog.h"

namespace weir::app {

CatalogTeller::CatalogTeller(lineage::Catalog catalog, collectors::EmitSettings settings, const runtime::Clock& clock)
    : catalog_(std::move(catalog)),
      settings_(std::move(settings)),
      outcomes_(settings_.every),
      sender_(settings_,
              {.what = catalog_.name,
               .path = std::string(collectors::kDataHubPath),
               .headers = {{"X-RestLi-Protocol-Version", "2.0.0"}}},
              clock) {}

void CatalogTeller::take(std::string_view collector, const core::Batch& batch, const Canonical& canonical,
                         core::Time now) {
  std::vector<std::string> bodies;
  for (const collectors::DatasetOutcomes& dataset : outcomes_.take(collector, batch, now)) {
    const core::Labels labels{{"source", dataset.node.place}, {"dataset", dataset.node.name}};
    const std::string urn = lineage::urn_of(catalog_, canonical(labels));
    if (urn.empty()) continue;
    for (std::string& body : collectors::datahub_checks(dataset, urn, collector, now))
      bodies.push_back(std::move(body));
  }
  sender_.offer(std::move(bodies));
}

void CatalogTeller::tell(std::span<const core::Incident> incidents, const Canonical& canonical, core::Time now) {
  if (!settings_.incidents) return;
  const bool all = !all_at_ || now - *all_at_ >= settings_.every;
  const core::Time since = all_at_.value_or(now - settings_.every);
  std::vector<std::string> bodies;
  std::map<std::string, bool> told;
  for (const core::Incident& incident : incidents) {
    const auto before = told_.find(incident.id);
    const bool known = before != told_.end() && before->second == incident.open();
    told.emplace(incident.id, incident.open());
    const bool ended_before = !incident.open() && before == told_.end() && *incident.resolved_at < since;
    const bool again = all && (incident.open() || *incident.resolved_at >= since);
    if (incident.alerts.empty() || ended_before || (known && !again)) continue;
    const std::string urn = lineage::urn_of(catalog_, canonical(incident.alerts.front().labels));
    if (!urn.empty()) bodies.push_back(collectors::datahub_incident(incident, urn, now));
  }
  told_ = std::move(told);
  if (all) all_at_ = now;
  sender_.offer(std::move(bodies));
}

}  // namespace weir::app
