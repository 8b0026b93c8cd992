#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/backend.h"
#include "app/judge.h"
#include "app/silence_book.h"
#include "core/series_source.h"
#include "runtime/clock.h"
#include "runtime/self_metrics.h"
#include "storage/store.h"

namespace weir::app {

/// What people do about incidents through the API. Owned by App; any thread.
class IncidentDesk {
 public:
  struct Parts {
    storage::Store& storage;
    const core::SeriesSource& series;
    SilenceBook& silences;
    const runtime::Clock& clock;
    Judge& judge;
    /// Has it done by the judge's worker; false when too much waits there.
    std::function<bool(std::function<void()>)> submit;
    std::function<void(const JudgeStep&)> show;  // on the judge's worker
    std::string page_url;                        // without a slash at the end
  };
  explicit IncidentDesk(Parts parts) : parts_(std::move(parts)) {}

  /// `lineage` tells what is affected; it outlives what is returned.
  api::IncidentAccess access(const api::LineageAccess& lineage) const;

 private:
  /// By the judge's worker, in its turn. Errors: those of Judge::handle; unavailable, timeout.
  core::Result<core::Incident> handle(const core::Deed& deed) const;
  core::Result<api::FoundIncidents> search(const core::IncidentSearch& wanted, std::size_t limit) const;
  core::Result<core::Incident> find(const std::string& id) const;
  core::Result<core::Incident> silence(const std::string& id, const std::string& by, const std::string& comment,
                                       core::Duration duration) const;
  core::Result<std::string> postmortem(const std::string& id, const api::LineageAccess& lineage) const;
  std::vector<core::SeriesView> charts(const core::Incident& incident) const;

  Parts parts_;
};

/// How many incidents of each severity are open, and how long things took, as metrics.
class IncidentMetrics {
 public:
  explicit IncidentMetrics(runtime::SelfMetrics& metrics) : metrics_(metrics) {}
  /// These, and its own.
  static std::vector<core::MetricInfo> with(std::span<const core::MetricInfo> others);
  /// At 0, so that rules see the first step too.
  void begin();
  void note(std::span<const IncidentMeasure> measures);
  void show(const JudgeView& view);

 private:
  runtime::SelfMetrics& metrics_;
};

}  // namespace weir::app
