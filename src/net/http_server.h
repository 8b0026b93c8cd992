#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "runtime/loop.h"

namespace weir::net {

/// Where to listen: "127.0.0.1:9877", "[::1]:0", "0.0.0.0:80". Names are not looked up.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
  bool loopback = false;
};
core::Result<ListenAddress> parse_listen_address(std::string_view text);

struct ServerRequest {
  std::string method;  // in upper case
  std::string path;    // decoded, without the query
  std::string query;   // as sent, without "?"
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case

  std::string_view header(std::string_view lower_name) const;
  /// Query parameters and, of a form POST, those of the body; decoded, in order.
  std::vector<std::pair<std::string, std::string>> parameters() const;
};

struct ServerResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::shared_ptr<const std::string> body;
  std::vector<std::pair<std::string, std::string>> headers;

  static ServerResponse text(int status, std::string body);
  static ServerResponse json(int status, std::string body);
};

/// One answer, now or later, from any thread. An unanswered request whose responder is destroyed is 500.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void send(ServerResponse response) = 0;
};

/// A stream of server-sent events. write() never blocks; a client that reads too slowly is cut off.
class EventStream {
 public:
  virtual ~EventStream() = default;
  /// False once the client is gone.
  virtual bool write(std::string_view text) = 0;
};

/// Handles one request on the loop: must not block.
using Handler = std::function<void(const ServerRequest&, std::shared_ptr<Responder>)>;
/// Takes over a connection as an event stream.
using StreamHandler = std::function<void(std::shared_ptr<EventStream>)>;

struct ServerLimits {
  std::size_t header_bytes = 16U << 10U;
  std::size_t body_bytes = 1U << 20U;
  std::size_t connections = 1024;
  std::size_t stream_queue = 64;  // events waiting for one client
  core::Duration timeout{30'000};
};

/// An HTTP/1.1 server on the loop. Lives on the loop's thread.
class HttpServer {
 public:
  struct Options {
    ListenAddress listen;
    std::string stream_path;  // the path that becomes an event stream
    ServerLimits limits;
  };
  static core::Result<std::unique_ptr<HttpServer>> start(runtime::Loop& loop, Options options, Handler handler,
                                                         StreamHandler stream_handler);
  virtual ~HttpServer() = default;
  /// The port in use, where 0 was asked for.
  virtual std::uint16_t port() const = 0;
};

}  // namespace weir::net
