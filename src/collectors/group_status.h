#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "core/time.h"
#include "kafka/metric_settings.h"

namespace weir::collectors {

/// What a group does on a partition; the worst one comes last.
///
/// - idle: nothing is left to read, and nothing was committed through the window
/// - ok: it is caught up, or its commits go forward and its lag does not grow
/// - unknown: it lags and has not moved, and Weir has not watched for a whole window
/// - warn: it lagged through the window, more and more
/// - rewind: its commit went back within the window, and has not come by again
/// - stall: it lagged through the window, and its commit stood still, though it has members, or may have
/// - stop: the same without members (or, where assignments are known, none has this partition)
enum class GroupStatus : std::uint8_t { idle, ok, unknown, warn, rewind, stall, stop };
/// "IDLE", "OK", "UNKNOWN", "WARN", "REWIND", "STALL", "STOP".
std::string_view to_string(GroupStatus status);
/// Whether someone should look: warn and worse.
constexpr bool is_trouble(GroupStatus status) { return status >= GroupStatus::warn; }
/// How many of them there are.
inline constexpr std::size_t kTroubles =
    static_cast<std::size_t>(GroupStatus::stop) - static_cast<std::size_t>(GroupStatus::warn) + 1;

/// What a group's lag and commit on one partition did through the window. Judged by Weir's cycles, not by the group's
/// commits, so that one that commits no more is judged as well.
///
/// Lag grows (warn) when, of five equal parts of time of which the last is still running, none has a smaller lag than
/// the part before had, and the last two have none as small as the largest of the first: so neither the saw-tooth of
/// regular commits nor a lag that swings around a mean is taken for growing.
class PartitionProgress {
 public:
  struct Step {
    std::int64_t committed = 0;
    std::int64_t lag = 0;
    std::int64_t end = 0;
    core::Time now;
  };

  /// Takes one cycle's offsets. True when the commit went back (a rewind), and not with its log.
  bool add(const Step& step, const kafka::StatusSettings& settings);
  /// After add(). `read`: some member has this partition, or may have.
  GroupStatus judge(bool read, const kafka::StatusSettings& settings) const;

  bool known() const { return committed_ >= 0; }
  std::int64_t committed() const { return committed_; }
  /// Of the last step, to the second.
  core::Time seen_at() const { return core::Time(std::chrono::seconds(now_)); }
  /// Since when the commit stands still while there is lag; seconds since 1970.
  std::uint32_t still_since() const { return alive_at_; }

 private:
  static constexpr std::size_t kParts = 5;

  bool grows(std::int64_t min_lag) const;
  void note_lag(float lag, std::uint32_t part);

  std::int64_t committed_ = -1;
  std::int64_t rewound_from_ = -1;  // -1: not rewound, or come by again
  std::int64_t lag_ = 0;
  std::uint32_t now_ = 0;       // seconds since 1970, as all below
  std::uint32_t moved_at_ = 0;  // the commit last went forward, or was first seen
  std::uint32_t alive_at_ = 0;  // the same, or there was no lag
  std::uint32_t rewound_at_ = 0;
  std::uint32_t part_ = 0;  // number of the last part
  bool proven_ = false;     // it has moved, or been caught up
  // Smallest and largest lag of each part, oldest first; infinite and negative where there was no cycle.
  std::array<float, kParts> low_{};
  std::array<float, kParts> high_{};
};

/// The speed of a group on one topic: commits and log ends now, and up to a window ago. Begins anew where the set of
/// partitions with a known lag changes, or where a sum goes back.
class ReadingPace {
 public:
  struct Sums {
    std::int64_t committed = 0;
    std::int64_t end = 0;
    std::uint32_t partitions = 0;
  };
  struct Rates {
    double read = 0;     // messages a second that commits went forward
    double written = 0;  // messages a second that ends went forward
    bool known = false;
  };

  Rates add(const Sums& sums, core::Time now, const kafka::StatusSettings& settings);

 private:
  struct Mark {
    core::Time time;
    Sums sums;
  };
  Mark older_;
  Mark newer_;
};

}  // namespace weir::collectors
