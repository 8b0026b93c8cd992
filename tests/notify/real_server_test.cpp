// The notifiers over libcurl against a server on loopback that behaves as told.
#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "samples.h"

namespace weir::notify {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

/// Answers each connection with the next script: a whole HTTP answer, "" to hang until the end, "RESET" to cut,
/// "DRIP" for a body that does not end.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> scripts) : scripts_(std::move(scripts)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  ~ScriptedServer() {
    thread_.request_stop();
    thread_.join();
    ::close(listener_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  static bool readable(int file, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd wait{.fd = file, .events = POLLIN, .revents = 0};
      if (::poll(&wait, 1, 20) > 0) return true;
    }
    return false;
  }

  static bool whole(const std::string& request) {
    const auto end = request.find("\r\n\r\n");
    const auto length = request.find("Content-Length: ");
    if (end == std::string::npos || length == std::string::npos) return false;
    return request.size() >= end + 4 + std::stoul(request.substr(length + 16));
  }

  void serve(const std::stop_token& stop) {
    for (const std::string& script : scripts_) {
      if (!readable(listener_, stop)) return;
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      std::string request;
      char buffer[4096];
      while (!whole(request) && readable(client, stop)) {
        const ssize_t count = ::read(client, buffer, sizeof buffer);
        if (count <= 0) break;
        request.append(buffer, static_cast<std::size_t>(count));
      }
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      if (script == "RESET") {
        const linger cut{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(client, SOL_SOCKET, SO_LINGER, &cut, sizeof cut);
      } else if (script == "DRIP") {
        drip(client, stop);
      } else if (script.empty()) {
        (void)readable(client, stop);  // until the client gives up
      } else {
        (void)!::write(client, script.data(), script.size());
      }
      ::close(client);
    }
  }

  /// A success whose body never ends: a byte now and then, for as long as the client takes them.
  static void drip(int client, const std::stop_token& stop) {
    const std::string head = "HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n";
    if (::write(client, head.data(), head.size()) < 0) return;
    while (!stop.stop_requested() && ::send(client, "x", 1, MSG_NOSIGNAL) == 1) {
      pollfd closed{.fd = client, .events = POLLIN, .revents = 0};
      if (::poll(&closed, 1, 20) != 0) return;
    }
  }

  std::vector<std::string> scripts_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::jthread thread_;
};

std::string http(int status, const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nConnection: close\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::unique_ptr<Notifier> notifier(const std::string& kind, const std::string& key, const std::string& url,
                                   net::HttpClient& client) {
  config::Diagnostics diagnostics;
  const RoutingSettings routing = parse(
      "receivers: [{name: team, " + kind + ": [{" + key + ": '" + url + "'}]}]\nroute: {receiver: team}", diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  return routing.receivers[0].integrations[0].make({client, "http://weir"});
}

TEST(RealServer, AWebhookArrivesAsJsonWithItsKey) {
  ScriptedServer server({http(202, "")});
  const auto client = net::make_curl_client();
  const auto webhook = notifier("webhook_configs", "url", server.url("/hook"), *client);
  const auto delivered = webhook->deliver(message(3), {.now = at(0)});
  ASSERT_TRUE(delivered) << delivered.error().error.describe();
  EXPECT_EQ(delivered->status, 202);
  const std::string request = server.requests().at(0);
  EXPECT_THAT(request, HasSubstr("POST /hook HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nIdempotency-Key: key-3\r\n"));
  const auto body = nlohmann::json::parse(request.substr(request.find("\r\n\r\n") + 4));
  EXPECT_EQ(body["version"], "4");
  EXPECT_EQ(body["alerts"][0]["labels"]["consumergroup"], "billing");
}

TEST(RealServer, EveryKindOfFailureIsTakenForWhatItIs) {
  ScriptedServer server({http(503, "busy", "Retry-After: 17\r\n"), http(404, "no_service"), "RESET",
                         http(302, "", "Location: http://127.0.0.1:1/elsewhere\r\n"), http(200, "invalid_payload"),
                         http(200, std::string(1U << 20U, 'x')), "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort",
                         http(200, "ok")});
  const auto client = net::make_curl_client();
  const auto slack = notifier("slack_configs", "api_url", server.url("/services/T0/B0/topsecrettoken"), *client);
  struct Expected {
    const char* what;
    bool retryable;
  };
  for (const auto& [what, retryable] :
       {Expected{"503", true}, Expected{"404", false}, Expected{"reset", true}, Expected{"redirect", false},
        Expected{"invalid_payload", false}, Expected{"larger than a message", true}, Expected{"cut short", true}}) {
    const auto failed = slack->deliver(message(1), {.now = at(0), .timeout = 5s});
    ASSERT_FALSE(failed) << what;
    EXPECT_EQ(failed.error().error.retryable, retryable) << what << ": " << failed.error().error.describe();
    EXPECT_THAT(failed.error().error.describe(), Not(HasSubstr("topsecret"))) << what;
    EXPECT_EQ(failed.error().retry_after.has_value(), std::string_view(what) == "503");
  }
  EXPECT_TRUE(slack->deliver(message(1), {.now = at(0), .timeout = 5s}));
}

/// Lists of a receiver with one entry each, by the URL of the server.
std::vector<std::string> all_kinds(const std::string& url) {
  return {"webhook_configs: [{url: '" + url + "'}]",
          "slack_configs: [{api_url: '" + url + "/services/T/B/x'}]",
          "slack_configs: [{api_url: '" + url + "/api/chat.postMessage', bot_token: t, channel: c}]",
          "pagerduty_configs: [{url: '" + url + "', routing_key: k}]",
          "msteams_configs: [{webhook_url: '" + url + "'}]",
          "opsgenie_configs: [{api_url: '" + url + "', api_key: k}]"};
}

TEST(RealServer, EveryKindOfReceiverTakesEachAnswerForWhatItIs) {
  struct Script {
    std::string answer;
    bool retryable;
    std::optional<core::Duration> retry_after;
  };
  const std::vector<Script> scripts{{http(429, "", "Retry-After: 30\r\n"), true, 30s},
                                    {http(500, ""), true, {}},
                                    {http(408, ""), true, {}},
                                    {http(425, ""), true, {}},
                                    {http(403, ""), false, {}},
                                    {"RESET", true, {}},
                                    {"", true, {}},
                                    {"DRIP", true, {}}};
  const std::string success = http(200, R"({"ok":true,"channel":"c","ts":"1.2"})");
  const auto client = net::make_curl_client();
  const std::size_t kinds = all_kinds("").size();
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    std::vector<std::string> answers;
    for (const Script& script : scripts) answers.push_back(script.answer);
    answers.push_back(success);
    ScriptedServer server(answers);
    const std::string lists = all_kinds(server.url(""))[kind];
    config::Diagnostics diagnostics;
    const auto routing = parse("receivers: [{name: team, " + lists + "}]\nroute: {receiver: team}", diagnostics);
    ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    const auto notifier = routing.receivers[0].integrations[0].make({*client, "http://weir"});
    for (const auto& [answer, retryable, retry_after] : scripts) {
      const bool late = answer.empty() || answer == "DRIP";
      const auto failed = notifier->deliver(message(1), {.now = at(0), .timeout = late ? 300ms : 10s});
      ASSERT_FALSE(failed) << lists << answer;
      EXPECT_EQ(failed.error().error.retryable, retryable) << lists << answer;
      EXPECT_EQ(failed.error().retry_after, retry_after) << lists << answer;
    }
    EXPECT_TRUE(notifier->deliver(message(1), {.now = at(0), .timeout = 5s})) << lists;
  }
}

TEST(RealServer, AReceiverThatHangsIsLeftAtTheDeadline) {
  ScriptedServer server({""});
  const auto client = net::make_curl_client();
  const auto webhook = notifier("webhook_configs", "url", server.url("/hook"), *client);
  const auto began = std::chrono::steady_clock::now();
  const auto failed = webhook->deliver(message(1), {.now = at(0), .timeout = 200ms});
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().error.kind, core::ErrorKind::timeout);
  EXPECT_TRUE(failed.error().error.retryable);
}

TEST(RealServer, AStopEndsADeliveryThatHangs) {
  ScriptedServer server({""});
  const auto client = net::make_curl_client();
  const auto webhook = notifier("webhook_configs", "url", server.url("/hook"), *client);
  std::stop_source stop;
  std::jthread stopper([&] {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (server.requests().empty() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    stop.request_stop();
  });
  const auto failed = webhook->deliver(message(1), {.now = at(0), .timeout = 30s, .stop = stop.get_token()});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().error.kind, core::ErrorKind::cancelled);
}

TEST(RealServer, NobodyListeningIsRetryable) {
  std::string url;
  {
    ScriptedServer closed({});
    url = closed.url("/hook");
  }
  const auto client = net::make_curl_client();
  const auto failed = notifier("webhook_configs", "url", url, *client)->deliver(message(1), {.now = at(0)});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().error.kind, core::ErrorKind::unavailable);
  EXPECT_TRUE(failed.error().error.retryable);
}

}  // namespace
}  // namespace weir::notify
