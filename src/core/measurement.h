#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/time.h"

namespace weir::core {

/// What anomaly detection found when the measurement was taken. Kept with it, so that it counts after a restart too.
enum class Mark : std::uint8_t {
  none = 0,
  anomalous = 1,    // never learned from
  level_shift = 2,  // the last of those that made a new level, which is learned from
  level_back = 3,   // the level from before the last shift came back
};

/// What a person said of a measurement later; it outweighs the mark.
enum class Feedback : std::uint8_t { none = 0, fine = 1, wrong = 2 };

/// One value measured by a data-quality check, kept for a year to compare later ones with.
struct Measurement {
  std::string check;  // stable identity: source, dataset, filter and metric
  Time time;
  double value = 0;
  Mark mark = Mark::none;
  Feedback feedback = Feedback::none;
};

/// The history of measurements. Implemented by storage, given to quality.
class MeasurementHistory {
 public:
  virtual ~MeasurementHistory() = default;
  virtual Result<void> append(const std::vector<Measurement>& measurements) = 0;
  /// The newest `limit` of one check, oldest first.
  virtual Result<std::vector<Measurement>> newest(const std::string& check, std::size_t limit) = 0;
};

}  // namespace weir::core
