#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <thread>

#include "net/http_server.h"
#include "runtime/loop.h"

namespace weir::net {

/// A server on a free loopback port with a loop and thread of its own.
class TestServer {
 public:
  explicit TestServer(Handler handler, ServerLimits limits = {}, StreamHandler stream_handler = {},
                      std::string external_host = {}) {
    HttpServer::Options options{
        .listen = *parse_listen_address("127.0.0.1:0"), .external_host = std::move(external_host), .limits = limits};
    options.stream_path = "/stream";
    auto started = HttpServer::start(loop_, std::move(options), std::move(handler), std::move(stream_handler));
    EXPECT_TRUE(started) << started.error().describe();
    server_ = std::move(*started);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~TestServer() {
    loop_.stop();
    thread_.join();
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::uint16_t port() const { return server_->port(); }
  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port()) + path; }
  runtime::Loop& loop() { return loop_; }
  /// Ends the server while its connections and the loop live on.
  void close() {
    loop_.post([this] { server_.reset(); });
  }

 private:
  runtime::Loop loop_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

}  // namespace weir::net
