#include "collectors/group_status.h"

#include <algorithm>

namespace weir::collectors {
namespace {

constexpr float kNoLow = std::numeric_limits<float>::infinity();
constexpr float kNoHigh = -1;

std::uint32_t to_whole_seconds(core::Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, std::numeric_limits<std::uint32_t>::max()));
}

std::uint32_t window_seconds(const kafka::StatusSettings& settings) {
  return static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(settings.window).count());
}

/// The window is made of all parts but the one that runs.
std::uint32_t part_seconds(const kafka::StatusSettings& settings, std::size_t parts) {
  return std::max(1U, window_seconds(settings) / static_cast<std::uint32_t>(parts - 1));
}

}  // namespace

std::string_view to_string(GroupStatus status) {
  switch (status) {
    case GroupStatus::idle: return "IDLE";
    case GroupStatus::ok: return "OK";
    case GroupStatus::unknown: return "UNKNOWN";
    case GroupStatus::warn: return "WARN";
    case GroupStatus::rewind: return "REWIND";
    case GroupStatus::stall: return "STALL";
    case GroupStatus::stop: return "STOP";
  }
  return "UNKNOWN";
}

bool PartitionProgress::add(const Step& step, const kafka::StatusSettings& settings) {
  const std::uint32_t now = to_whole_seconds(step.now);
  // A clock that went back, and a log that begins anew, leave nothing to compare with.
  if (!known() || now < now_ || step.end < committed_) {
    *this = {};
    low_.fill(kNoLow);
    high_.fill(kNoHigh);
    committed_ = step.committed;
    moved_at_ = alive_at_ = now;
    part_ = now / part_seconds(settings, kParts);
  }
  const bool rewound = step.committed < committed_;
  if (rewound) {
    rewound_from_ = std::max(rewound_from_, committed_);
    rewound_at_ = now;
  }
  if (step.committed != committed_) moved_at_ = now;
  if (step.committed != committed_ || step.lag <= settings.min_lag) {
    alive_at_ = now;
    proven_ = true;
  }
  committed_ = step.committed;
  lag_ = step.lag;
  now_ = now;
  if (committed_ >= rewound_from_ || now - rewound_at_ >= window_seconds(settings)) rewound_from_ = -1;
  note_lag(static_cast<float>(step.lag), now / part_seconds(settings, kParts));
  return rewound;
}

void PartitionProgress::note_lag(float lag, std::uint32_t part) {
  const std::size_t shift = std::min<std::size_t>(part - part_, kParts);
  if (shift > 0) {
    std::shift_left(low_.begin(), low_.end(), static_cast<std::ptrdiff_t>(shift));
    std::shift_left(high_.begin(), high_.end(), static_cast<std::ptrdiff_t>(shift));
    std::fill(low_.end() - static_cast<std::ptrdiff_t>(shift), low_.end(), kNoLow);
    std::fill(high_.end() - static_cast<std::ptrdiff_t>(shift), high_.end(), kNoHigh);
    part_ = part;
  }
  low_.back() = std::min(low_.back(), lag);
  high_.back() = std::max(high_.back(), lag);
}

bool PartitionProgress::grows(std::int64_t min_lag) const {
  if (low_[0] <= static_cast<float>(min_lag)) return false;
  for (std::size_t i = 0; i < kParts; ++i) {
    if (high_[i] == kNoHigh) return false;  // not watched
    if (i > 0 && low_[i] < low_[i - 1]) return false;
  }
  return low_[kParts - 2] > high_[0] && low_[kParts - 1] > high_[0];
}

GroupStatus PartitionProgress::judge(bool read, const kafka::StatusSettings& settings) const {
  const std::uint32_t window = window_seconds(settings);
  if (lag_ <= settings.min_lag) return now_ - moved_at_ >= window ? GroupStatus::idle : GroupStatus::ok;
  if (now_ - alive_at_ >= window) return read ? GroupStatus::stall : GroupStatus::stop;
  if (rewound_from_ >= 0) return GroupStatus::rewind;
  if (grows(settings.min_lag)) return GroupStatus::warn;
  return proven_ ? GroupStatus::ok : GroupStatus::unknown;
}

ReadingPace::Rates ReadingPace::add(const Sums& sums, core::Time now, const kafka::StatusSettings& settings) {
  const bool comparable = newer_.sums.partitions == sums.partitions && sums.committed >= newer_.sums.committed &&
                          sums.end >= newer_.sums.end && now >= newer_.time;
  if (!comparable) older_ = newer_ = {now, sums};
  if (now - newer_.time >= settings.window / 2) {
    older_ = newer_;
    newer_ = {now, sums};
  }
  const core::Duration span = now - older_.time;
  if (span <= core::Duration{0} || span < settings.window / 10) return {};
  const double seconds = core::to_seconds(span);
  return {.read = static_cast<double>(sums.committed - older_.sums.committed) / seconds,
          .written = static_cast<double>(sums.end - older_.sums.end) / seconds,
          .known = true};
}

}  // namespace weir::collectors
