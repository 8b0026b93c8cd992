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
  /// Runs a deed where the judge is; waits for the outcome. Errors: those of Judge::handle; unavailable, timeout.
  using Handle = std::function<core::Result<core::Incident>(const core::Deed& deed)>;
  struct Parts {
    storage::Store& storage;
    const core::SeriesSource& series;
    SilenceBook& silences;
    const runtime::Clock& clock;
    std::function<std::shared_ptr<const JudgeView>()> view;
    Handle handle;
    std::string page_url;  // without a slash at the end
  };
  explicit IncidentDesk(Parts parts) : parts_(std::move(parts)) {}

  /// `lineage` tells what is affected; it outlives what is returned.
  api::IncidentAccess access(const api::LineageAccess& lineage) const;

 private:
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
  static std::span<const core::MetricInfo> metrics();
  /// At 0, so that rules see the first step too.
  void begin();
  void note(std::span<const IncidentMeasure> measures);
  void show(const JudgeView& view);

 private:
  runtime::SelfMetrics& metrics_;
};

}  // namespace weir::app
