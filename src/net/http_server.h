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
/// Errors: invalid.
core::Result<ListenAddress> parse_listen_address(std::string_view text);

/// Whether a Host header names this machine's loopback: localhost, 127.0.0.0/8 or [::1], with or without a port.
bool is_loopback_host(std::string_view host);

/// The host of a Host header or of a URL's authority, in lower case and without its port; "" when that is no port.
std::string host_name(std::string_view host);

/// The host of an http:// or https:// URL, as host_name() gives it; "" for anything else.
std::string url_host(std::string_view url);

/// Replaces %XX; anything else stays as it is.
std::string percent_decode(std::string_view text);

struct ServerRequest {
  std::string method;  // in upper case
  std::string path;    // decoded, without the query; begins with "/"
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
  std::shared_ptr<const std::string> body = {};
  /// Sent after `body`, one after the other and without a copy: a page that is put together from what others hold.
  std::vector<std::shared_ptr<const std::string>> parts = {};
  std::vector<std::pair<std::string, std::string>> headers = {};

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
  /// False once the client is gone. Any thread.
  virtual bool write(std::string_view text) = 0;
  /// Cuts the client off. Any thread.
  virtual void close() = 0;
};

/// Handles one request on the loop: must not block.
using Handler = std::function<void(const ServerRequest&, std::shared_ptr<Responder>)>;
/// Takes over a connection as an event stream.
using StreamHandler = std::function<void(std::shared_ptr<EventStream>)>;

struct ServerLimits {
  std::size_t header_bytes = 16U << 10U;
  std::size_t body_bytes = 1U << 20U;
  std::size_t connections = 1024;  // past it the answer is 503
  std::size_t stream_queue = 64;   // events waiting for one client
  core::Duration timeout{30'000};  // for reading a request, being idle, and sending an answer
};

/// An HTTP/1.1 server on the loop. On a loopback address it answers only requests for localhost by name or number, or
/// for a host it is told of, so that no web site reaches it by a name of its own (DNS rebinding). Every answer carries
/// a strict content policy. To be destroyed on the loop's thread or once run() has ended; no handler is called
/// afterwards.
class HttpServer {
 public:
  struct Options {
    ListenAddress listen;
    bool allow_remote = false;       // else only a loopback address is listened on
    std::string external_host = {};  // answered to as well as localhost: what a proxy before it is called
    std::string stream_path = {};    // the path whose GET becomes an event stream
    ServerLimits limits = {};
  };
  /// Errors: denied (an address that is not loopback, without allow_remote), unavailable (in use, not of this machine).
  static core::Result<std::unique_ptr<HttpServer>> start(runtime::Loop& loop, Options options, Handler handler,
                                                         StreamHandler stream_handler);
  /// The first half of start(): takes the port, and lets clients wait until serve().
  static core::Result<std::unique_ptr<HttpServer>> bind(runtime::Loop& loop, Options options);
  /// To be called once.
  virtual void serve(Handler handler, StreamHandler stream_handler) = 0;
  virtual ~HttpServer() = default;
  /// The port in use, where 0 was asked for.
  virtual std::uint16_t port() const = 0;
};

}  // namespace weir::net
