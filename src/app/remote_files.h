#pragma once

#include <map>
#include <mutex>
#include <string>

#include "net/http_client.h"
#include "quality/import_collector.h"

namespace weir::app {

/// Fetches files that collectors read. What has not changed (ETag) is not sent again. Any thread.
class RemoteFiles {
 public:
  /// `http` outlives it.
  explicit RemoteFiles(net::HttpClient& http) : http_(http) {}

  /// As quality::FetchFile.
  core::Result<std::string> fetch(const std::string& url, const quality::RemoteLogin& login, std::size_t most_bytes,
                                  const core::CollectContext& context);

 private:
  struct Kept {
    std::string etag;
    std::string body;
  };
  net::HttpClient& http_;
  std::mutex mutex_;
  std::map<std::string, Kept> kept_;  // by URL: as many as are configured
};

}  // namespace weir::app
