#include "kafka/snapshot.h"

#include <algorithm>

namespace weir::kafka {

std::string_view to_string(GroupState state) {
  switch (state) {
    case GroupState::unknown: return "Unknown";
    case GroupState::preparing_rebalance: return "PreparingRebalance";
    case GroupState::completing_rebalance: return "CompletingRebalance";
    case GroupState::stable: return "Stable";
    case GroupState::dead: return "Dead";
    case GroupState::empty: return "Empty";
  }
  return "Unknown";
}

std::string_view to_string(GroupKind kind) {
  switch (kind) {
    case GroupKind::unknown: return "unknown";
    case GroupKind::classic: return "classic";
    case GroupKind::consumer: return "consumer";
    case GroupKind::simple: return "simple";
    case GroupKind::connect: return "connect";
    case GroupKind::streams: return "streams";
  }
  return "unknown";
}

const Partition* Topic::find(std::int32_t id) const {
  if (id < 0) return nullptr;
  const auto index = static_cast<std::size_t>(id);
  if (index < partitions.size() && partitions[index].id == id) return &partitions[index];
  const auto found = std::ranges::lower_bound(partitions, id, {}, &Partition::id);
  return found != partitions.end() && found->id == id ? &*found : nullptr;
}

}  // namespace weir::kafka
