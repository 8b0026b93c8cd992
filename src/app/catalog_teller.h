#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "app/event_sender.h"
#include "app/lineage_settings.h"
#include "collectors/check_outcomes.h"
#include "core/batch.h"
#include "core/incident.h"
#include "core/lineage.h"

namespace weir::app {

/// Tells a catalog (DataHub) what becomes of checks and incidents of the datasets it has a name for. The judge's worker
/// calls it; what is to be sent goes on a worker of its own.
class CatalogTeller {
 public:
  /// What a dataset or the subject of an incident is called in the graph.
  using Canonical = std::function<core::Node(const core::Labels&)>;

  CatalogTeller(lineage::Catalog catalog, collectors::EmitSettings settings, const runtime::Clock& clock);

  void take(std::string_view collector, const core::Batch& batch, const Canonical& canonical, core::Time now);
  /// Tells of incidents that opened or ended since the last call, and each `every` of all that are open or have ended
  /// since: an event that was lost leaves nothing open there for good.
  void tell(std::span<const core::Incident> incidents, const Canonical& canonical, core::Time now);

  const std::string& catalog() const { return catalog_.name; }
  SenderReport report() const { return sender_.report(); }
  void wake() { sender_.wake(); }
  void stop() { sender_.stop(); }

 private:
  const lineage::Catalog catalog_;
  const collectors::EmitSettings settings_;
  collectors::CheckOutcomes outcomes_;
  std::map<std::string, bool> told_;  // incidents by id: whether it was open
  std::optional<core::Time> all_at_;  // when all incidents were told
  EventSender sender_;
};

}  // namespace weir::app
