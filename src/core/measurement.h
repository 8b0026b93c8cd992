#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/time.h"

namespace weir::core {

/// One value measured by a data-quality check, kept for a year to compare later ones with.
struct Measurement {
  std::string check;  // stable identity: source, dataset, filter and metric
  Time time;
  double value = 0;
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
