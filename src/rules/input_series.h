#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "config/yaml_place.h"
#include "rules/sample_source.h"
#include "rules/series_notation.h"

namespace weir::rules {

/// All values of one file together.
inline constexpr std::size_t kMostFileValues = 10'000'000;

/// `input_series` of promtool's unit tests.
struct InputSeries {
  std::vector<SeriesNotation> series;        // of a labelset given twice only the last, as with promtool
  std::vector<config::Diagnostic> mistakes;  // in the notation
  std::vector<config::Diagnostic> notes;     // what promtool leaves out silently
};

/// Reads `[{series, values}]`. What is no such list goes to `diagnostics`, what is no series notation into `mistakes`.
/// `budget` is how many values the file may still have.
InputSeries read_input_series(const config::Node* list, const config::YamlPlace& place,
                              config::Diagnostics& diagnostics, std::size_t& budget);

/// A file of samples: promtool's `interval` and `input_series` alone.
struct SampleFile {
  core::Duration interval = std::chrono::minutes(1);
  InputSeries input;

  core::Time end() const;  // of the last value
};

/// Reads YAML or JSON of at most 64 MiB. All mistakes are reported, those in the notation among them.
std::expected<SampleFile, config::Diagnostics> load_samples(const std::string& file);

/// Feeds series to a source by and by, as promtool does: the first value of each stands at time 0.
class SeriesFeed {
 public:
  /// `series` must outlive it.
  SeriesFeed(const std::vector<SeriesNotation>& series, core::Duration interval)
      : series_(series), interval_(interval), next_(series.size()) {}
  /// Appends all values up to a time, itself included. Errors: as SampleSource::append, at the first series.
  core::Result<void> feed_until(core::Time until, SampleSource& source);

 private:
  const std::vector<SeriesNotation>& series_;
  core::Duration interval_;
  std::vector<std::size_t> next_;
};

}  // namespace weir::rules
