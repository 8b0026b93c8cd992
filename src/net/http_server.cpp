#include "net/http_server.h"

#include <array>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cctype>
#include <deque>
#include <optional>

namespace weir::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

/// What the connections have of their server. `closed` once that is gone; touched on the loop only.
struct Shared {
  HttpServer::Options options;
  Handler handler;
  StreamHandler stream_handler;
  std::atomic<std::size_t> connections = 0;  // a late answer may drop the last reference on its own thread
  bool closed = false;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

constexpr core::Duration kLinger{2'000};     // how long a refused client may go on sending
constexpr core::Duration kAcceptPause{100};  // after a failed accept: out of file descriptors, most likely

bool known_method(http::verb verb) {
  return verb == http::verb::get || verb == http::verb::head || verb == http::verb::post || verb == http::verb::put ||
         verb == http::verb::delete_;
}

bool answers_to(std::string_view host, std::string_view external_host) {
  return is_loopback_host(host) || (!external_host.empty() && host_name(host) == external_host);
}

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, std::shared_ptr<Shared> shared)
      : stream_(std::move(socket)), shared_(std::move(shared)) {
    ++shared_->connections;
  }
  ~Connection() { --shared_->connections; }

  void start() {
    const std::size_t limit = shared_->options.limits.connections;
    if (shared_->connections > 2 * limit) return;  // not even worth an answer
    if (shared_->connections <= limit) return read();
    keep_alive_ = false;
    write(ServerResponse::text(503, "too many connections\n"));
  }

  void write(ServerResponse response);
  asio::any_io_executor executor() { return stream_.get_executor(); }

 private:
  friend class Stream;

  void read();
  void handle(const http::request<http::string_body>& request);
  void dispatch(const http::request<http::string_body>& request, ServerRequest seen);
  void open_stream();
  void send(std::vector<std::shared_ptr<const std::string>> pieces);
  void finish();
  void drain();
  void refuse(int status, const std::string& message, std::vector<std::pair<std::string, std::string>> headers = {}) {
    keep_alive_ = false;
    refused_ = true;
    ServerResponse response = ServerResponse::text(status, message);
    response.headers = std::move(headers);
    write(std::move(response));
  }

  beast::tcp_stream stream_;
  std::shared_ptr<Shared> shared_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  unsigned version_ = 11;
  bool keep_alive_ = true;
  bool head_ = false;
  bool refused_ = false;
  std::array<char, 4096> ignored_{};
  std::size_t drained_ = 0;
};

/// Answers once; dropping it unanswered answers 500.
class OneAnswer final : public Responder {
 public:
  explicit OneAnswer(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  ~OneAnswer() override { send(ServerResponse::text(500, "no answer\n")); }
  void send(ServerResponse response) override {
    std::shared_ptr<Connection> connection = std::exchange(connection_, nullptr);
    if (!connection) return;
    const auto executor = connection->executor();
    asio::post(executor, [connection = std::move(connection), response = std::move(response)]() mutable {
      connection->write(std::move(response));
    });
  }

 private:
  std::shared_ptr<Connection> connection_;
};

class Stream final : public EventStream, public std::enable_shared_from_this<Stream> {
 public:
  explicit Stream(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  bool write(std::string_view text) override {
    if (closed_) return false;
    asio::post(connection_->executor(),
               [self = shared_from_this(), message = std::string(text)]() mutable { self->push(std::move(message)); });
    return true;
  }
  void close() override {
    asio::post(connection_->executor(), [self = shared_from_this()] { self->shut(); });
  }
  void push(std::string message) {
    if (closed_) return;
    if (queue_.size() >= connection_->shared_->options.limits.stream_queue) return shut();
    queue_.push_back(std::move(message));
    if (queue_.size() == 1) flush();
  }
  /// Sees the client go away while nothing is being sent.
  void watch() {
    connection_->stream_.async_read_some(asio::buffer(&ignored_, 1),
                                         [self = shared_from_this()](const beast::error_code& failed, std::size_t) {
                                           if (failed) return self->shut();
                                           self->watch();
                                         });
  }

 private:
  void flush() {
    connection_->stream_.expires_after(connection_->shared_->options.limits.timeout);
    asio::async_write(connection_->stream_, asio::buffer(queue_.front()),
                      [self = shared_from_this()](const beast::error_code& failed, std::size_t) {
                        if (failed) return self->shut();
                        self->queue_.pop_front();
                        if (!self->queue_.empty()) self->flush();
                      });
  }
  void shut() {
    closed_ = true;
    connection_->stream_.close();
  }

  std::shared_ptr<Connection> connection_;
  std::deque<std::string> queue_;
  std::atomic<bool> closed_ = false;
  char ignored_ = 0;
};

void Connection::read() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(shared_->options.limits.header_bytes));
  parser_->body_limit(shared_->options.limits.body_bytes);
  stream_.expires_after(shared_->options.limits.timeout);
  http::async_read(
      stream_, buffer_, *parser_, [self = shared_from_this()](const beast::error_code& failed, std::size_t) {
        if (failed == http::error::body_limit) return self->refuse(413, "the body is too large\n");
        if (failed == http::error::header_limit) return self->refuse(431, "the header is too large\n");
        const bool malformed = failed.category() == http::make_error_code(http::error::bad_method).category();
        if (failed && malformed && failed != http::error::end_of_stream) {
          return self->refuse(400, "not an HTTP request: " + failed.message() + "\n");
        }
        if (failed) return;  // gone, silent for too long, or done
        self->handle(self->parser_->get());
      });
}

void Connection::handle(const http::request<http::string_body>& request) {
  if (shared_->closed) return;
  version_ = request.version();
  keep_alive_ = request.keep_alive();
  head_ = request.method() == http::verb::head;
  const std::string_view host(request[http::field::host].data(), request[http::field::host].size());
  const std::string_view target(request.target().data(), request.target().size());
  if (!known_method(request.method()))
    return refuse(405, "method not allowed\n", {{"Allow", "GET, HEAD, POST, PUT, DELETE"}});
  if (version_ >= 11 && request.count(http::field::host) != 1) return refuse(400, "one Host header is needed\n");
  if (shared_->options.listen.loopback && !host.empty() && !answers_to(host, shared_->options.external_host)) {
    return refuse(421, "this server answers to localhost and to the host of its external_url only\n");
  }
  if (!target.starts_with('/')) return refuse(400, "not a path\n");
  ServerRequest seen;
  seen.method = std::string(request.method_string());
  const std::size_t mark = std::min(target.find('?'), target.size());
  seen.path = percent_decode(target.substr(0, mark));
  if (mark < target.size()) seen.query = std::string(target.substr(mark + 1));
  dispatch(request, std::move(seen));
}

void Connection::dispatch(const http::request<http::string_body>& request, ServerRequest seen) {
  for (const auto& field : request) {
    seen.headers.emplace_back(lower(std::string_view(field.name_string().data(), field.name_string().size())),
                              std::string(field.value()));
  }
  seen.body = request.body();
  if (seen.path == shared_->options.stream_path && request.method() == http::verb::get) return open_stream();
  shared_->handler(seen, std::make_shared<OneAnswer>(shared_from_this()));
}

std::string head_of(const ServerResponse& response, unsigned version, bool keep_alive, std::size_t size) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(response.status));
  std::string head = "HTTP/1." + std::string(version >= 11 ? "1 " : "0 ") + std::to_string(response.status) + " ";
  head.append(reason.data(), reason.size()).append("\r\n");
  const auto add = [&](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  add("Content-Type", response.content_type);
  if (response.status != 304) add("Content-Length", std::to_string(size));
  add("Connection", keep_alive ? "keep-alive" : "close");
  add("X-Content-Type-Options", "nosniff");
  add("Referrer-Policy", "no-referrer");
  add("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'");
  for (const auto& [name, value] : response.headers) add(name, value);
  return head += "\r\n";
}

void Connection::write(ServerResponse response) {
  std::vector<std::shared_ptr<const std::string>> pieces;
  if (response.body) pieces.push_back(std::move(response.body));
  for (auto& part : response.parts) pieces.push_back(std::move(part));
  std::size_t size = 0;
  for (const auto& piece : pieces) size += piece->size();
  if (head_ || response.status == 304) pieces.clear();
  pieces.insert(pieces.begin(), std::make_shared<const std::string>(head_of(response, version_, keep_alive_, size)));
  send(std::move(pieces));
}

void Connection::send(std::vector<std::shared_ptr<const std::string>> pieces) {
  std::vector<asio::const_buffer> buffers;
  for (const auto& piece : pieces) buffers.push_back(asio::buffer(*piece));
  stream_.expires_after(shared_->options.limits.timeout);
  asio::async_write(
      stream_, buffers,
      [self = shared_from_this(), held = std::move(pieces)](const beast::error_code& failed, std::size_t) {
        if (!failed) self->finish();
      });
}

void Connection::finish() {
  if (keep_alive_ && !shared_->closed) return read();
  beast::error_code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  // Closing with unread input resets the connection, and the client would never read why it was refused.
  if (!refused_) return;
  stream_.expires_after(kLinger);
  drain();
}

void Connection::drain() {
  stream_.async_read_some(asio::buffer(ignored_),
                          [self = shared_from_this()](const beast::error_code& failed, std::size_t bytes) {
                            self->drained_ += bytes;
                            if (!failed && self->drained_ < 16 * self->shared_->options.limits.body_bytes)
                              self->drain();
                          });
}

void Connection::open_stream() {
  stream_.expires_never();  // for reading: nothing more is expected
  auto stream = std::make_shared<Stream>(shared_from_this());
  stream->watch();
  stream->push(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n: connected\n\n");
  shared_->stream_handler(stream);
}

class Server final : public HttpServer {
 public:
  Server(asio::io_context& context, std::shared_ptr<Shared> shared)
      : acceptor_(context), pause_(context), shared_(std::move(shared)) {}
  ~Server() override {
    // Connections may outlive the server; what the handlers refer to may not.
    shared_->closed = true;
    shared_->handler = nullptr;
    shared_->stream_handler = nullptr;
  }

  core::Result<void> open() {
    const ListenAddress& listen = shared_->options.listen;
    const std::string where = (listen.host.find(':') == std::string::npos ? listen.host : "[" + listen.host + "]") +
                              ":" + std::to_string(listen.port);
    if (!listen.loopback && !shared_->options.allow_remote) {
      return core::fail(core::ErrorKind::denied,
                        "not a loopback address: anyone who reaches it could read everything "
                        "(set allow_remote: true if that is meant)",
                        where);
    }
    beast::error_code failed;
    const tcp::endpoint endpoint(asio::ip::make_address(listen.host, failed), listen.port);
    if (!failed) acceptor_.open(endpoint.protocol(), failed);
    if (!failed) acceptor_.set_option(asio::socket_base::reuse_address(true), failed);
    if (!failed) acceptor_.bind(endpoint, failed);
    if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
    if (!failed) port_ = acceptor_.local_endpoint(failed).port();
    if (failed) return core::fail(core::ErrorKind::unavailable, "cannot listen: " + failed.message(), where);
    return {};
  }
  void serve(Handler handler, StreamHandler stream_handler) override {
    shared_->handler = std::move(handler);
    shared_->stream_handler = std::move(stream_handler);
    accept();
  }
  std::uint16_t port() const override { return port_; }

 private:
  void accept() {
    acceptor_.async_accept([this, shared = shared_](const beast::error_code& failed, tcp::socket socket) {
      if (shared->closed || failed == asio::error::operation_aborted) return;
      if (failed) return accept_later();
      std::make_shared<Connection>(std::move(socket), shared)->start();
      accept();
    });
  }
  void accept_later() {
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this, shared = shared_](const beast::error_code& failed) {
      if (!failed && !shared->closed) accept();
    });
  }

  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::shared_ptr<Shared> shared_;
  std::uint16_t port_ = 0;
};

}  // namespace

core::Result<std::unique_ptr<HttpServer>> HttpServer::start(runtime::Loop& loop, Options options, Handler handler,
                                                            StreamHandler stream_handler) {
  auto server = bind(loop, std::move(options));
  if (server) (*server)->serve(std::move(handler), std::move(stream_handler));
  return server;
}

core::Result<std::unique_ptr<HttpServer>> HttpServer::bind(runtime::Loop& loop, Options options) {
  auto shared = std::make_shared<Shared>();
  shared->options = std::move(options);
  auto server = std::make_unique<Server>(loop.context(), std::move(shared));
  if (auto opened = server->open(); !opened) return std::unexpected(opened.error());
  return server;
}

}  // namespace weir::net
