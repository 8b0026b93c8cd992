#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/collector.h"
#include "core/error.h"
#include "core/secret.h"
#include "net/http_client.h"

namespace weir::collectors {

struct RegistryAddress {
  std::string url;  // up to, not including, /subjects
  std::string username;
  core::Secret password;
  core::Secret bearer;
  std::string ca_file;
  core::Duration timeout = std::chrono::seconds(5);
};

struct SchemaVersion {
  int version = 0;
  std::string schema;
  std::string type;        // AVRO where the registry does not say
  std::string references;  // JSON, as the registry gave it
};

struct Compatibility {
  bool compatible = false;
  std::string reason;  // the registry's own words, shortened; may be ""
};

/// The REST interface of Confluent's schema registry
/// (https://docs.confluent.io/platform/current/schema-registry/develop/api.html), as Karapace and Apicurio's
/// ccompat v7 speak it too. Every error names the address without credentials.
class RegistryClient {
 public:
  RegistryClient(RegistryAddress address, net::HttpClient& http) : address_(std::move(address)), http_(http) {}

  core::Result<std::vector<std::string>> subjects(const core::CollectContext& context) const;
  core::Result<std::vector<int>> versions(const std::string& subject, const core::CollectContext& context) const;
  core::Result<SchemaVersion> version(const std::string& subject, int version,
                                      const core::CollectContext& context) const;
  /// The subject's own level, or the global one.
  core::Result<std::string> level(const std::string& subject, const core::CollectContext& context) const;
  core::Result<Compatibility> check(const std::string& subject, int against, const SchemaVersion& candidate,
                                    const core::CollectContext& context) const;

 private:
  core::Result<std::string> get(const std::string& path, const core::CollectContext& context) const;
  core::Result<std::string> send(net::HttpRequest request, const std::string& path,
                                 const core::CollectContext& context) const;

  RegistryAddress address_;
  net::HttpClient& http_;
};

/// Bytes other than letters, digits and -._~ as %XX.
std::string percent_encode(std::string_view text);

}  // namespace weir::collectors
