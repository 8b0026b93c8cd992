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

/// The bytes of /metrics, rendered when they are asked for: the text of many series is several times what the series
/// themselves take. Requests at the same time share it. Safe to call from any thread.
class MetricsPage {
 public:
  using Pieces = std::vector<std::shared_ptr<const std::string>>;  // each of whole lines

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
  std::vector<core::MetricInfo> described() const;

  /// The whole page, families in order of name: its pieces one after the other.
  Pieces pieces() const;
  /// The same in one string.
  std::string render() const;

 private:
  struct Header {
    core::MetricInfo metric;
    std::shared_ptr<const std::string> lines;  // HELP and TYPE
  };
  using Headers = std::map<std::string, Header, std::less<>>;
  struct Source;
  using Sources = std::map<std::string, std::shared_ptr<const Source>>;
  struct Content {
    Sources sources;
    std::shared_ptr<const Headers> headers = std::make_shared<const Headers>();
  };
  Content content() const;

  std::mutex updating_;  // one update at a time; what takes long is done without the other
  mutable std::mutex mutex_;
  Content content_;
};

/// One line of the exposition format, as `name{a="1"} 5` and a line feed, appended to `out`.
void append_sample_line(std::string& out, const core::Labels& labels, double value);

}  // namespace weir::api
