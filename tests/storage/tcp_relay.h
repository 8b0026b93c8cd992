#pragma once

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace weir::storage::testing {

/// Stands between a client and a server on this machine and can be told to fail in one way, which then happens to the
/// connections of that moment; later ones work.
class TcpRelay {
 public:
  explicit TcpRelay(int server_port) : server_port_(server_port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("the relay cannot listen");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  ~TcpRelay() {
    thread_.request_stop();
    thread_.join();
    for (const Pair& pair : pairs_) close_both(pair);
    ::close(listener_);
  }
  TcpRelay(const TcpRelay&) = delete;
  TcpRelay& operator=(const TcpRelay&) = delete;

  int port() const { return port_; }
  /// The next message of a client with this in it reaches the server, its answer reaches nobody, and both are hung up.
  void swallow_the_answer_to(const std::string& text) { wanted_ = text, swallow_ = true; }
  bool swallowed() const { return !swallow_; }
  /// From now on the connections that there are carry nothing, and stay open.
  void freeze() { freeze_ = true; }

 private:
  struct Pair {
    int client = -1;
    int server = -1;
    bool swallowing = false;
    bool frozen = false;
  };

  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }
  static void close_both(const Pair& pair) {
    ::close(pair.client);
    ::close(pair.server);
  }

  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (freeze_.exchange(false)) {
        for (Pair& pair : pairs_) pair.frozen = true;
      }
      std::vector<pollfd> waiting{{.fd = listener_, .events = POLLIN, .revents = 0}};
      for (const Pair& pair : pairs_) {
        waiting.push_back({.fd = pair.frozen ? -1 : pair.client, .events = POLLIN, .revents = 0});
        waiting.push_back({.fd = pair.frozen ? -1 : pair.server, .events = POLLIN, .revents = 0});
      }
      if (::poll(waiting.data(), waiting.size(), 10) <= 0) continue;
      for (std::size_t i = pairs_.size(); i-- > 0;) {
        const bool over = (waiting[1 + 2 * i].revents != 0 && !from_client(pairs_[i])) ||
                          (waiting[2 + 2 * i].revents != 0 && !from_server(pairs_[i]));
        if (!over) continue;
        close_both(pairs_[i]);
        pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(i));
      }
      if (waiting[0].revents != 0) accept_one();
    }
  }

  void accept_one() {
    Pair pair{.client = ::accept(listener_, nullptr, nullptr), .server = ::socket(AF_INET, SOCK_STREAM, 0)};
    const sockaddr_in address = loopback(server_port_);
    if (::connect(pair.server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close_both(pair);
      return;
    }
    pairs_.push_back(pair);
  }

  bool from_client(Pair& pair) {
    const ssize_t size = ::recv(pair.client, buffer_.data(), buffer_.size(), 0);
    if (size <= 0) return false;
    const std::string_view sent(buffer_.data(), static_cast<std::size_t>(size));
    if (swallow_ && sent.find(wanted_) != std::string_view::npos) pair.swallowing = true;
    return ::send(pair.server, buffer_.data(), sent.size(), MSG_NOSIGNAL) == size;
  }

  bool from_server(Pair& pair) {
    const ssize_t size = ::recv(pair.server, buffer_.data(), buffer_.size(), 0);
    if (size <= 0) return false;
    if (pair.swallowing) {
      swallow_ = false;
      return false;
    }
    return ::send(pair.client, buffer_.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) == size;
  }

  int server_port_;
  int listener_ = -1;
  int port_ = 0;
  std::string wanted_;
  std::atomic<bool> swallow_ = false;
  std::atomic<bool> freeze_ = false;
  std::vector<Pair> pairs_;
  std::array<char, 65536> buffer_{};
  std::jthread thread_;
};

}  // namespace weir::storage::testing
