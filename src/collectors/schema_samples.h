#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collectors/kafka_token.h"
#include "core/batch.h"
#include "core/collector.h"
#include "kafka/filter.h"
#include "kafka/settings.h"

namespace weir::kafka {
class Connection;
}

namespace weir::collectors {

/// The newest messages of a topic, as far as a schema id goes.
struct TopicSample {
  std::string topic;
  std::vector<std::string> heads;  // the first bytes of each value; messages without one are left out
  std::size_t in_headers = 0;      // of them, whose schema is named by a header: these have no id in the value
};

struct SampledTopics {
  std::vector<TopicSample> topics;    // that have new messages since the last time
  std::vector<std::string> admitted;  // names of all topics that were looked at
  std::vector<core::Fault> faults;
};

/// Looks at topics; an error concerns all of them.
using SampleTopics = std::function<core::Result<SampledTopics>(const core::CollectContext&)>;

/// Reads the newest messages of topics, joining no group: `messages` of a topic and 2,000 and 16 MB and 10 s of all
/// each time; topics that had no turn are first the next time. It takes READ on them. Opens a client of its own each
/// time, so that it costs nothing in between. Used by one thread.
class KafkaSamples {
 public:
  KafkaSamples(kafka::ClusterSettings cluster, kafka::NameFilter topics, std::size_t messages);
  ~KafkaSamples();
  KafkaSamples(const KafkaSamples&) = delete;
  KafkaSamples& operator=(const KafkaSamples&) = delete;

  core::Result<SampledTopics> operator()(const core::CollectContext& context);

 private:
  kafka::ClusterSettings cluster_;
  std::size_t messages_;
  KafkaTokens tokens_;
  std::map<std::string, std::map<std::int32_t, std::int64_t>> ends_;  // up to where each was looked at
  std::string next_;
};

}  // namespace weir::collectors
