#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "api/backend.h"
#include "net/http_server.h"

namespace weir::api {

/// The path that the server hands to EventHub.
inline constexpr std::string_view kStreamPath = "/api/weir/v1/stream";

/// Answers one request, on the calling thread.
net::ServerResponse answer(const Backend& backend, const net::ServerRequest& request);

/// Answers one request that came on the loop: at once, or, for what may take a while, on the backend's workers. 503
/// when those have too much to do. `backend` outlives its workers.
void serve(const Backend& backend, const net::ServerRequest& request, std::shared_ptr<net::Responder> responder);

/// The open event streams: publish() tells every page that there is something new. Any thread.
class EventHub {
 public:
  void add(std::shared_ptr<net::EventStream> stream);
  /// `reason` is "cycle", "alert" or "incident".
  void publish(std::string_view reason);
  /// A comment line, so that proxies and pages see that the connection lives.
  void keep_alive();

 private:
  void send(std::string_view text);

  std::mutex mutex_;
  std::vector<std::shared_ptr<net::EventStream>> streams_;  // bounded by the server's connections
  std::uint64_t sequence_ = 0;
};

}  // namespace weir::api
