#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/batch.h"

namespace weir::api {

/// The Content-Type of the exposition format that /metrics speaks.
inline constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

/// The bytes of /metrics. Each source's cycle renders its own part when it ends; a request only takes hold of the
/// parts, so that scraping neither waits for a collector nor copies. Safe to call from any thread.
class MetricsPage {
 public:
  using Pieces = std::vector<std::shared_ptr<const std::string>>;

  /// How long a sample that could not be seen anew is shown: what is old must not look fresh.
  static constexpr core::Duration kShownFor = std::chrono::minutes(5);

  /// HELP and TYPE, to be given before metrics of these names are rendered; the first of a name counts.
  void describe(std::span<const core::MetricInfo> metrics);

  /// Replaces what `source` shows. Of its previous samples those stay, for kShownFor, that lie in the scope of a
  /// fault: they could not be seen, which is not the same as gone. Staleness markers are left out.
  void update(const std::string& source, std::shared_ptr<const core::Batch> batch, core::Time now);
  /// Forgets sources that have shown nothing new for `age`.
  void drop_older_than(core::Time now, core::Duration age);

  /// HELP and TYPE of the metrics that the page shows, in order of name.
  std::shared_ptr<const std::vector<core::MetricInfo>> described() const;

  /// The whole page, families in order of name: its pieces one after the other.
  std::shared_ptr<const Pieces> pieces() const;
  /// The same in one string.
  std::string render() const;

 private:
  using Families = std::map<std::string, std::shared_ptr<std::string>, std::less<>>;  // name → sample lines
  struct Source {
    core::Time updated_at;
    std::vector<core::Sample> kept;            // of earlier batches
    std::shared_ptr<const core::Batch> batch;  // the latest, shared with who else works on it
    Families families;
  };

  /// The metric that a series belongs to: of a histogram's _bucket, _sum and _count the histogram.
  std::string_view family_of(std::string_view name) const;
  Families render_families(const Source& shown) const;
  void join();

  std::mutex updating_;  // one update at a time, so that rendering needs no lock that a request waits for
  std::map<std::string, Source> sources_;
  struct Header {
    core::MetricInfo metric;
    std::shared_ptr<const std::string> lines;  // HELP and TYPE
  };
  std::map<std::string, Header, std::less<>> headers_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Pieces> pieces_ = std::make_shared<const Pieces>();
  std::shared_ptr<const std::vector<core::MetricInfo>> described_ =
      std::make_shared<const std::vector<core::MetricInfo>>();
};

/// One line of the exposition format, as `name{a="1"} 5` and a line feed, appended to `out`.
void append_sample_line(std::string& out, const core::Labels& labels, double value);

}  // namespace weir::api
