#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>
#include <unistd.h>

namespace weir::net {

/// A listening socket on 127.0.0.1 whose every connection is handed, one at a time, to `serve`. Its end cuts off the
/// connection at hand.
class RawServer {
 public:
  using Serve = std::function<void(int fd)>;

  explicit RawServer(Serve serve) : listener_(::socket(AF_INET, SOCK_STREAM, 0)), serve_(std::move(serve)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 16);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { accept(); });
  }
  /// Sends `bytes` as soon as it has read a request's head, then closes.
  static Serve answering(std::string bytes) {
    return [bytes = std::move(bytes)](int fd) {
      read_head(fd);
      ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    };
  }
  ~RawServer() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      ::shutdown(listener_, SHUT_RDWR);
      if (serving_ >= 0) ::shutdown(serving_, SHUT_RDWR);
    }
    thread_.join();
    ::close(listener_);
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  std::string url(const std::string& path = "/") const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

  static std::string read_head(int fd) {
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    std::string text;
    char byte = 0;
    while (!text.ends_with("\r\n\r\n") && ::recv(fd, &byte, 1, 0) == 1) text += byte;
    return text;
  }

 private:
  void accept() {
    while (true) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      ++connections_;
      if (begin(fd)) serve_(fd);
      const std::lock_guard lock(mutex_);
      serving_ = -1;
      ::shutdown(fd, SHUT_WR);
      ::close(fd);
    }
  }
  bool begin(int fd) {
    const std::lock_guard lock(mutex_);
    serving_ = fd;
    return !closing_;
  }

  int listener_;
  Serve serve_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  int serving_ = -1;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace weir::net
