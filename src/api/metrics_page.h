#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "core/batch.h"

namespace weir::api {

/// The Content-Type of the exposition format that /metrics speaks.
inline constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

/// The bytes of /metrics. Each source's cycle renders its own part when it ends; a request only joins the parts,
/// so that scraping never waits for a collector. Safe to call from any thread.
class MetricsPage {
 public:
  /// HELP and TYPE, to be given before metrics of these names are rendered; the first of a name counts.
  void describe(std::span<const core::MetricInfo> metrics);

  /// Replaces what `source` shows. Staleness markers are left out.
  void update(const std::string& source, const core::Batch& batch, core::Time now);
  /// Forgets sources that have shown nothing new for `age`: what is old must not look fresh.
  void drop_older_than(core::Time now, core::Duration age);

  /// The whole page, families in order of name.
  std::shared_ptr<const std::string> render() const;

 private:
  struct Source {
    core::Time updated_at;
    std::map<std::string, std::string, std::less<>> families;  // name → sample lines
  };

  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> headers_;  // name → HELP and TYPE lines
  std::map<std::string, Source> sources_;
};

/// One line of the exposition format, as `name{a="1"} 5` and a line feed, appended to `out`.
void append_sample_line(std::string& out, const core::Labels& labels, double value);

}  // namespace weir::api
