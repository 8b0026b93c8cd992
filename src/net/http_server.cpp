#include "net/http_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cctype>
#include <deque>
#include <optional>
#include <set>

#include "runtime/log.h"

namespace weir::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

struct Shared {
  HttpServer::Options options;
  Handler handler;
  StreamHandler stream_handler;
  std::size_t connections = 0;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// A page in another site must not reach a server on loopback by a name it chose itself (DNS rebinding).
bool host_allowed(const ListenAddress& listen, std::string_view host) {
  if (!listen.loopback) return true;
  const std::size_t end = host.starts_with('[') ? host.find(']') : host.rfind(':');
  const std::string_view name =
      host.starts_with('[') && end != std::string_view::npos ? host.substr(0, end + 1) : host.substr(0, end);
  return name.empty() || name == "localhost" || name == "[::1]" || name.starts_with("127.");
}

bool known_method(http::verb verb) {
  return verb == http::verb::get || verb == http::verb::head || verb == http::verb::post;
}

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, std::shared_ptr<Shared> shared)
      : stream_(std::move(socket)), shared_(std::move(shared)) {
    ++shared_->connections;
  }
  ~Connection() { --shared_->connections; }

  void start() {
    if (shared_->connections > shared_->options.limits.connections) {
      keep_alive_ = false;
      return write(ServerResponse::text(503, "too many connections\n"));
    }
    read();
  }

  void write(ServerResponse response);
  asio::any_io_executor executor() { return stream_.get_executor(); }

 private:
  friend class Stream;

  void read();
  void handle(const http::request<http::string_body>& request);
  void open_stream();
  void refuse(int status, const std::string& message) {
    keep_alive_ = false;
    write(ServerResponse::text(status, message));
  }

  beast::tcp_stream stream_;
  std::shared_ptr<Shared> shared_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  unsigned version_ = 11;
  bool keep_alive_ = true;
  bool head_ = false;
};

/// Answers once; dropping it unanswered answers 500.
class OneAnswer final : public Responder {
 public:
  explicit OneAnswer(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  ~OneAnswer() override { send(ServerResponse::text(500, "no answer\n")); }
  void send(ServerResponse response) override {
    std::shared_ptr<Connection> connection = std::exchange(connection_, nullptr);
    if (!connection) return;
    asio::post(connection->executor(),
               [connection, response = std::move(response)]() mutable { connection->write(std::move(response)); });
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
  void push(std::string message) {
    if (closed_) return;
    if (queue_.size() >= connection_->shared_->options.limits.stream_queue) return close();
    queue_.push_back(std::move(message));
    if (queue_.size() == 1) flush();
  }
  /// Sees the client go away while nothing is being sent.
  void watch() {
    connection_->stream_.async_read_some(asio::buffer(&ignored_, 1),
                                         [self = shared_from_this()](const beast::error_code& failed, std::size_t) {
                                           if (failed) return self->close();
                                           self->watch();
                                         });
  }

 private:
  void flush() {
    asio::async_write(connection_->stream_, asio::buffer(queue_.front()),
                      [self = shared_from_this()](const beast::error_code& failed, std::size_t) {
                        if (failed) return self->close();
                        self->queue_.pop_front();
                        if (!self->queue_.empty()) self->flush();
                      });
  }
  void close() {
    closed_ = true;
    beast::error_code ignored;
    connection_->stream_.socket().close(ignored);
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
  version_ = request.version();
  keep_alive_ = request.keep_alive();
  head_ = request.method() == http::verb::head;
  const std::string_view host(request[http::field::host].data(), request[http::field::host].size());
  if (!known_method(request.method())) return refuse(405, "method not allowed\n");
  if (!host_allowed(shared_->options.listen, host)) return refuse(421, "unknown host\n");
  ServerRequest seen;
  seen.method = std::string(request.method_string());
  const std::string_view target(request.target().data(), request.target().size());
  const std::size_t mark = std::min(target.find('?'), target.size());
  seen.path = std::string(target.substr(0, mark));
  if (mark < target.size()) seen.query = std::string(target.substr(mark + 1));
  seen.body = request.body();
  for (const auto& field : request) {
    seen.headers.emplace_back(lower(std::string_view(field.name_string().data(), field.name_string().size())),
                              std::string(field.value()));
  }
  if (seen.path == shared_->options.stream_path && request.method() == http::verb::get) return open_stream();
  shared_->handler(seen, std::make_shared<OneAnswer>(shared_from_this()));
}

void Connection::write(ServerResponse response) {
  using Body = http::span_body<const char>;
  auto message = std::make_shared<http::response<Body>>();
  message->version(version_);
  message->result(static_cast<unsigned>(response.status));
  message->keep_alive(keep_alive_);
  message->set(http::field::content_type, response.content_type);
  message->set("X-Content-Type-Options", "nosniff");
  message->set("Referrer-Policy", "no-referrer");
  message->set("Content-Security-Policy",
               "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'");
  if (response.status == 405) message->set(http::field::allow, "GET, HEAD, POST");
  for (const auto& [name, value] : response.headers) message->set(name, value);
  const std::size_t size = response.body ? response.body->size() : 0;
  if (response.body && !head_) message->body() = beast::span<const char>(response.body->data(), size);
  message->content_length(size);
  stream_.expires_after(shared_->options.limits.timeout);
  const auto done = [self = shared_from_this(), message, body = response.body](const beast::error_code& failed,
                                                                               std::size_t) {
    if (failed) return;
    if (self->keep_alive_) return self->read();
    beast::error_code ignored;
    self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  };
  if (head_) {
    auto serializer = std::make_shared<http::response_serializer<Body>>(*message);
    http::async_write_header(
        stream_, *serializer,
        [done, serializer](const beast::error_code& failed, std::size_t sent) { done(failed, sent); });
  } else {
    http::async_write(stream_, *message, done);
  }
}

void Connection::open_stream() {
  stream_.expires_never();
  auto stream = std::make_shared<Stream>(shared_from_this());
  stream->push(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n: connected\n\n");
  stream->watch();
  shared_->stream_handler(stream);
}

class Server final : public HttpServer {
 public:
  Server(asio::io_context& context, std::shared_ptr<Shared> shared) : acceptor_(context), shared_(std::move(shared)) {}

  core::Result<void> open() {
    const ListenAddress& listen = shared_->options.listen;
    beast::error_code failed;
    const tcp::endpoint endpoint(asio::ip::make_address(listen.host), listen.port);
    acceptor_.open(endpoint.protocol(), failed);
    if (!failed) acceptor_.set_option(asio::socket_base::reuse_address(true), failed);
    if (!failed) acceptor_.bind(endpoint, failed);
    if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
    if (failed) {
      return core::fail(core::ErrorKind::unavailable, "cannot listen: " + failed.message(),
                        listen.host + ":" + std::to_string(listen.port));
    }
    accept();
    return {};
  }
  std::uint16_t port() const override { return acceptor_.local_endpoint().port(); }

 private:
  void accept() {
    acceptor_.async_accept([this, shared = shared_](const beast::error_code& failed, tcp::socket socket) {
      if (failed == asio::error::operation_aborted) return;
      if (!failed) std::make_shared<Connection>(std::move(socket), shared)->start();
      accept();
    });
  }

  tcp::acceptor acceptor_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace

core::Result<std::unique_ptr<HttpServer>> HttpServer::start(runtime::Loop& loop, Options options, Handler handler,
                                                            StreamHandler stream_handler) {
  auto shared = std::make_shared<Shared>(Shared{std::move(options), std::move(handler), std::move(stream_handler), 0});
  auto server = std::make_unique<Server>(loop.context(), std::move(shared));
  if (auto opened = server->open(); !opened) return std::unexpected(opened.error());
  return server;
}

}  // namespace weir::net
