#include "collectors/openlineage.h"

#include <array>
#include <utility>

#include "collectors/openlineage_state.h"

namespace weir::collectors {
namespace {

using core::Labels;
using core::MetricInfo;
using core::MetricType;

constexpr std::string_view kKey = "openlineage/state";
constexpr core::Duration kSaveEvery = std::chrono::seconds(30);

constexpr std::array kMetrics{
    MetricInfo{"weir_openlineage_events_total", MetricType::counter, "Events of OpenLineage, by what became of them."},
    MetricInfo{"weir_openlineage_jobs", MetricType::gauge, "Jobs that events were heard of."},
    MetricInfo{"weir_openlineage_refused_total", MetricType::counter, "Jobs, datasets and ways past the limits."},
    MetricInfo{"weir_openlineage_job_runs_total", MetricType::counter, "Runs that ended, by state."},
    MetricInfo{"weir_openlineage_job_last_start_timestamp_seconds", MetricType::gauge, "When a run last began."},
    MetricInfo{"weir_openlineage_job_last_complete_timestamp_seconds", MetricType::gauge, "When one last ended well."},
    MetricInfo{"weir_openlineage_job_last_fail_timestamp_seconds", MetricType::gauge, "When one last failed."},
    MetricInfo{"weir_openlineage_job_last_duration_seconds", MetricType::gauge, "How long the last that ended took."},
    MetricInfo{"weir_openlineage_job_failed", MetricType::gauge, "1 when the last run to end failed or was aborted."},
    MetricInfo{"weir_openlineage_job_running", MetricType::gauge, "Runs that began and have not ended."},
    MetricInfo{"weir_openlineage_job_oldest_run_seconds", MetricType::gauge, "For how long the oldest of them runs."},
    MetricInfo{"weir_openlineage_job_stuck_runs", MetricType::gauge, "Of them those past stuck_after."},
    MetricInfo{"weir_openlineage_dataset_rows", MetricType::gauge, "Rows of a dataset, by its newest metrics."},
    MetricInfo{"weir_openlineage_dataset_bytes", MetricType::gauge, "Its size."},
    MetricInfo{"weir_openlineage_dataset_written_rows", MetricType::gauge, "Rows that the newest run wrote to it."},
    MetricInfo{"weir_openlineage_dataset_written_bytes", MetricType::gauge, "Bytes likewise."},
    MetricInfo{"weir_openlineage_column_nulls", MetricType::gauge, "Nulls in a column, by the newest metrics."},
    MetricInfo{"weir_openlineage_column_distinct", MetricType::gauge, "Different values of a column."},
    MetricInfo{"weir_openlineage_column_min", MetricType::gauge, "Its least value."},
    MetricInfo{"weir_openlineage_column_max", MetricType::gauge, "Its largest value."},
    MetricInfo{"weir_check_status", MetricType::gauge,
               "Outcome of a check: 0 pass, 1 warn, 2 fail, 3 could not be evaluated."},
};

}  // namespace

core::Result<void> OpenLineageInbox::offer(const std::string& body) {
  auto event = parse_openlineage(body);
  const std::lock_guard lock(mutex_);
  if (!event) {
    ++counts_.invalid;
    return std::unexpected(event.error());
  }
  if (waiting_.size() >= limit_ || bytes_ + body.size() > kMostBytes) {
    ++counts_.refused;
    return core::fail(core::ErrorKind::unavailable,
                      std::to_string(waiting_.size()) + " events wait already: send it again in some seconds");
  }
  ++counts_.accepted;
  bytes_ += body.size();
  waiting_.push_back(std::move(*event));
  return {};
}

std::vector<OpenLineageEvent> OpenLineageInbox::drain() {
  const std::lock_guard lock(mutex_);
  bytes_ = 0;
  return std::exchange(waiting_, {});
}

OpenLineageInbox::Counts OpenLineageInbox::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

OpenLineageCollector::OpenLineageCollector(OpenLineageSettings settings, std::shared_ptr<OpenLineageInbox> inbox,
                                           core::KeyedTexts* texts)
    : settings_(std::move(settings)),
      inbox_(std::move(inbox)),
      texts_(texts),
      state_(std::make_unique<OpenLineageState>(settings_)) {}

OpenLineageCollector::~OpenLineageCollector() {
  if (texts_ != nullptr && began_ && state_->changed()) (void)texts_->put_text(std::string(kKey), state_->to_text());
}

std::span<const core::MetricInfo> OpenLineageCollector::metrics() const { return kMetrics; }

void OpenLineageCollector::begin(core::Batch& batch) {
  if (std::exchange(began_, true) || texts_ == nullptr) return;
  const auto text = texts_->text(std::string(kKey));
  const core::Result<void> restored = !text   ? std::unexpected(text.error())
                                      : *text ? state_->restore(**text)
                                              : core::Result<void>();
  if (!restored) batch.faults.push_back({restored.error(), {}});
}

void OpenLineageCollector::save(core::Time now, core::Batch& batch) {
  if (texts_ == nullptr || !state_->changed() || (saved_ && now - *saved_ < kSaveEvery)) return;
  saved_ = now;
  if (const auto put = texts_->put_text(std::string(kKey), state_->to_text()); !put)
    batch.faults.push_back({put.error(), {}, true});
}

core::Result<core::Batch> OpenLineageCollector::collect(const core::CollectContext& context) {
  core::Batch batch;
  begin(batch);
  for (const OpenLineageEvent& event : inbox_->drain()) state_->take(event, context.now, batch);
  state_->forget(context.now);
  state_->report(context.now, batch);
  save(context.now, batch);
  const OpenLineageInbox::Counts counts = inbox_->counts();
  for (const auto& [result, count] : {std::pair{"accepted", counts.accepted}, std::pair{"invalid", counts.invalid},
                                      std::pair{"refused", counts.refused}}) {
    batch.samples.push_back({Labels::metric("weir_openlineage_events_total", {{"result", result}}), context.now,
                             static_cast<double>(count)});
  }
  return batch;
}

}  // namespace weir::collectors
