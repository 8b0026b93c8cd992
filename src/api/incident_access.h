#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "core/deed.h"
#include "core/error.h"
#include "core/incident.h"

namespace weir::api {

/// What a search finds, newest first.
struct FoundIncidents {
  std::vector<core::Incident> incidents = {};
  std::string history_away = {};  // why these are only those in memory; "" where all were searched
};

/// What the routes of incidents need; filled in by app/. Its functions may block and be called on any worker.
struct IncidentAccess {
  /// While storage is away, among those in memory. Errors: invalid.
  std::function<core::Result<FoundIncidents>(const core::IncidentSearch&, std::size_t limit)> find = {};
  /// The incident as it is afterwards. Errors: invalid, not_found, limit, storage, unavailable, timeout.
  std::function<core::Result<core::Incident>(const core::Deed&)> handle = {};
  /// Silences its alerts, and says so in its timeline. Errors: those of `handle`.
  std::function<core::Result<core::Incident>(const std::string& id, const std::string& by, const std::string& comment,
                                             core::Duration duration)>
      silence = {};
  /// Markdown. Errors: not_found, storage.
  std::function<core::Result<std::string>(const std::string& id)> postmortem = {};
};

}  // namespace weir::api
