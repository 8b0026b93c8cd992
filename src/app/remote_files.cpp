#include "app/remote_files.h"

#include <algorithm>
#include <chrono>

namespace weir::app {

core::Result<std::string> RemoteFiles::fetch(const std::string& url, const quality::RemoteLogin& login,
                                             std::size_t most_bytes, const core::CollectContext& context) {
  net::HttpRequest request;
  request.url = url;
  const auto left = std::chrono::duration_cast<core::Duration>(context.deadline - std::chrono::steady_clock::now());
  request.timeout = std::min(login.timeout, left);
  request.max_response_bytes = most_bytes;
  request.bearer = login.bearer_token;
  request.ca_file = login.ca_file;
  Kept known;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = kept_.find(url); found != kept_.end()) known = found->second;
  }
  if (!known.etag.empty()) request.headers.emplace_back("If-None-Match", known.etag);
  auto response = http_.send(request, context.stop);
  if (!response) return std::unexpected(response.error());
  if (response->status == 304 && !known.etag.empty()) return known.body;
  if (response->status != 200) {
    const bool denied = response->status == 401 || response->status == 403;
    const core::ErrorKind kind = denied                    ? core::ErrorKind::denied
                                 : response->status == 404 ? core::ErrorKind::not_found
                                 : response->status >= 500 ? core::ErrorKind::unavailable
                                                           : core::ErrorKind::protocol;
    return core::fail(kind, "is answered with " + std::to_string(response->status));
  }
  const std::lock_guard lock(mutex_);
  kept_[url] = {std::string(response->header("etag")), response->body};
  if (kept_[url].etag.empty()) kept_.erase(url);
  return std::move(response->body);
}

}  // namespace weir::app
