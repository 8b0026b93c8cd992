#pragma once

#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/http_json.h"
#include "config/node.h"

namespace weir::collectors {

using namespace std::chrono_literals;

/// Answers by "METHOD path?query"; the last of several answers stays.
class FakeService final : public net::HttpClient {
 public:
  core::Result<net::HttpResponse> send(const net::HttpRequest& request, std::stop_token) override {
    const std::string key =
        request.method + " " + (request.url.starts_with(base) ? request.url.substr(base.size()) : request.url);
    requests.push_back(key);
    last = request;
    if (failure) return std::unexpected(*failure);
    const auto found = answers.find(key);
    if (found == answers.end()) return net::HttpResponse{404, {}, R"({"message": "no such thing"})"};
    auto& waiting = found->second;
    net::HttpResponse answer = waiting.front();
    if (waiting.size() > 1) waiting.erase(waiting.begin());
    return answer;
  }
  void answer(const std::string& path, std::string body, int status = 200,
              std::vector<std::pair<std::string, std::string>> headers = {}) {
    answers["GET " + path].push_back({status, std::move(headers), std::move(body)});
  }

  std::string base = "http://service:8083";
  std::map<std::string, std::vector<net::HttpResponse>> answers;
  std::vector<std::string> requests;
  net::HttpRequest last;
  std::optional<core::Error> failure;
};

class HttpJsonTest : public testing::Test {
 protected:
  /// With what stands under `requests:`, and more of the entry.
  void configure(const std::string& requests, const std::string& more = "") {
    const config::Node node = config::parse_yaml(
        "name: svc\nurl: http://service:8083/\n" + more + "\nrequests:\n" + requests, "weir.yml", diagnostics_);
    HttpJsonSettings settings = parse_http_json(node, diagnostics_);
    ASSERT_TRUE(diagnostics_.ok()) << diagnostics_.to_string();
    collector_ = std::make_unique<HttpJsonCollector>(std::move(settings), service_);
  }
  core::Result<core::Batch> collect() {
    now_ += 30s;
    return collector_->collect({now_, std::chrono::steady_clock::now() + 10s, {}});
  }
  static std::map<std::string, double> values(const core::Batch& batch) {
    std::map<std::string, double> found;
    for (const core::Sample& sample : batch.samples) found[sample.labels.to_string()] = sample.value;
    return found;
  }
  std::string only_fault() {
    const auto batch = collect();
    if (!batch) return batch.error().describe();
    return batch->faults.size() == 1 ? batch->faults[0].error.describe()
                                     : std::to_string(batch->faults.size()) + " faults";
  }

  FakeService service_;
  config::Diagnostics diagnostics_;
  std::unique_ptr<HttpJsonCollector> collector_;
  core::Time now_{1'700'000'000s};
};

}  // namespace weir::collectors
