#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "kafka/connection.h"
#include "kafka/properties.h"
#include "kafka/settings.h"
#include "kafka/token.h"

namespace weir::kafka {

/// The configuration of a librdkafka client besides Connection's: `defaults` give way to the cluster's properties,
/// `own` do not. It logs nothing. Errors: a property that librdkafka refuses (invalid).
core::Result<Conf> own_configuration(const ClusterSettings& cluster,
                                     const std::vector<std::pair<std::string, std::string>>& defaults,
                                     const std::vector<std::pair<std::string, std::string>>& own);
/// What a client's callbacks are given, by its rd_kafka_opaque; outlives the client.
struct OwnClient {
  std::optional<TokenSettings> token;
  TokenSource token_source;
};
/// Has the client ask `own` for tokens where the cluster's login needs them. `own` is the configuration's opaque.
void use_tokens(rd_kafka_conf_s* conf, const ClusterSettings& cluster, OwnClient& own);
/// Opens no socket yet; gets the first token where one is needed, as nothing is answered before. Errors: properties
/// that contradict each other (invalid).
core::Result<Handle> own_consumer(Conf conf);
/// May have interceptors. A configuration that is refused is leaked, so open the consumer first, which is refused for
/// the same files.
core::Result<Handle> own_producer(Conf conf);

}  // namespace weir::kafka
