#pragma once

#include <ostream>
#include <string>

#include "core/measurement.h"

namespace weir::app {

enum class ExportFormat { csv, json };

/// Writes measurements one by one, so that a year of them needs no memory. CSV as RFC 4180 has it, with a header; JSON
/// is one array. Times are RFC 3339; what JSON has no number for (infinity) is null.
class MeasurementWriter {
 public:
  MeasurementWriter(std::ostream& out, ExportFormat format) : out_(out), format_(format) {}
  void write(const core::Measurement& measurement);
  /// What comes after the last.
  void finish();

 private:
  void begin();  // nothing is written before there is something to say

  std::ostream& out_;
  ExportFormat format_;
  bool first_ = true;
};

/// "anomalous", "level_shift", "level_back"; "" for none.
std::string to_string(core::Mark mark);
/// "fine", "wrong"; "" for none.
std::string to_string(core::Feedback feedback);

}  // namespace weir::app
