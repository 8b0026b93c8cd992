#include "collectors/http_json.h"

#include <functional>
#include <gtest/gtest.h>
#include <map>

#include "config/node.h"

namespace weir::collectors {
namespace {

using namespace std::chrono_literals;
using core::ErrorKind;
using core::Labels;

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

TEST_F(HttpJsonTest, ValuesAreNumbersStatesAgesAndCounts) {
  configure(R"(
- path: /jobs
  items: /jobs/*
  labels: {job: /name}
  metrics:
    - {name: job_up, value: /state, map: {RUNNING: 1, "*": 0}}
    - {name: job_state, value: /state, states: [RUNNING, FAILED]}
    - {name: job_seconds, value: /took, unit: milliseconds}
    - {name: job_age_seconds, value: /ended, unit: age}
    - {name: job_tasks, value: /tasks, unit: length}
    - {name: job_bytes, value: /kilobytes, scale: 1024}
)",
            "labels: {cluster: prod}");
  service_.answer("/jobs", R"({"jobs": [{"name": "a", "state": "RUNNING", "took": 1500, "ended": "2023-11-14T22:13:20Z",
                                        "tasks": [1, 2], "kilobytes": "2"}, {"name": "b", "state": "LOST", "ended": null}]})");
  const auto batch = collect();
  ASSERT_TRUE(batch) << batch.error().describe();
  EXPECT_TRUE(batch->faults.empty());
  EXPECT_EQ(values(*batch), (std::map<std::string, double>{{R"(job_up{cluster="prod",job="a"})", 1},
                                                           {R"(job_up{cluster="prod",job="b"})", 0},
                                                           {R"(job_state{cluster="prod",job="a",state="RUNNING"})", 1},
                                                           {R"(job_state{cluster="prod",job="a",state="FAILED"})", 0},
                                                           {R"(job_state{cluster="prod",job="b",state="RUNNING"})", 0},
                                                           {R"(job_state{cluster="prod",job="b",state="FAILED"})", 0},
                                                           {R"(job_seconds{cluster="prod",job="a"})", 1.5},
                                                           {R"(job_age_seconds{cluster="prod",job="a"})", 30},
                                                           {R"(job_tasks{cluster="prod",job="a"})", 2},
                                                           {R"(job_bytes{cluster="prod",job="a"})", 2048}}));
  EXPECT_EQ(collector_->name(), "http_json/svc");
}

TEST_F(HttpJsonTest, AValueThatIsNotWhatIsExpectedIsAFaultOfItsSeriesAlone) {
  configure("- {path: /, metrics: [{name: a, value: /a, map: {UP: 1}}, {name: b, value: /b}, {name: c, value: /c}]}");
  service_.answer("/", R"({"a": "SIDEWAYS", "b": "much", "c": 1})");
  const auto batch = collect();
  EXPECT_EQ(values(*batch), (std::map<std::string, double>{{"c", 1}}));
  ASSERT_EQ(batch->faults.size(), 2U);
  EXPECT_EQ(batch->faults[0].scope, (Labels{{"__name__", "a"}}));
  EXPECT_NE(batch->faults[0].error.message.find("SIDEWAYS"), std::string::npos);
}

TEST_F(HttpJsonTest, ItemsAreSummedUpByTheirLabels) {
  configure(R"(
- path: /runs
  items: /*
  metrics:
    - {name: runs, aggregate: count, labels: {state: /s}}
    - {name: longest, aggregate: max, value: /t}
    - {name: total, aggregate: sum, value: /t, where: {/s: [ok, late]}}
)");
  service_.answer("/runs",
                  R"([{"s": "ok", "t": 5}, {"s": "ok", "t": 7}, {"s": "bad", "t": 9}, {"s": "late", "t": 1}])");
  EXPECT_EQ(values(*collect()), (std::map<std::string, double>{{R"(runs{state="ok"})", 2},
                                                               {R"(runs{state="bad"})", 1},
                                                               {R"(runs{state="late"})", 1},
                                                               {"longest", 9},
                                                               {"total", 13}}));
}

TEST_F(HttpJsonTest, RequestsForEachItemHaveItsLabelsAndTheirTroubleIsTheirs) {
  configure(R"(
- path: /jobs
  items: /*
  labels: {job: /id}
  each:
    - {path: "/jobs/{job}/{kind}", metrics: [{name: m, value: /m}]}
)",
            "variables: {kind: stats}");
  service_.answer("/jobs", R"([{"id": "a b/c"}, {"id": "gone"}])");
  service_.answer("/jobs/a%20b%2Fc/stats", R"({"m": 4})");
  const auto batch = collect();
  EXPECT_EQ(values(*batch), (std::map<std::string, double>{{R"(m{job="a b/c"})", 4}}));
  ASSERT_EQ(batch->faults.size(), 1U);
  EXPECT_EQ(batch->faults[0].scope, (Labels{{"job", "gone"}}));
  EXPECT_EQ(batch->faults[0].error.kind, ErrorKind::not_found);
  EXPECT_NE(batch->faults[0].error.message.find("no such thing"), std::string::npos);
}

TEST_F(HttpJsonTest, PagesAreFollowedByCursorOffsetLinkAndNext) {
  const std::string metrics = "metrics: [{name: n, aggregate: count}]";
  configure("- {path: '/a?x=1', items: '/v/*', pages: {cursor: /next, parameter: after}, " + metrics + "}\n" +
            "- {path: /b, items: '/*', pages: {size: 2, parameter: offset}, metrics: [{name: b, aggregate: count}]}\n" +
            "- {path: /c, items: '/*', pages: {link_header: true}, metrics: [{name: c, aggregate: count}]}\n" +
            "- {path: /d, items: '/v/*', pages: {next: /links/next}, metrics: [{name: d, aggregate: count}]}\n");
  service_.answer("/a?x=1", R"({"v": [1, 2], "next": "p 2"})");
  service_.answer("/a?x=1&after=p%202", R"({"v": [3], "next": null})");
  service_.answer("/b", "[1, 2]");
  service_.answer("/b?offset=2", "[3, 4]");
  service_.answer("/b?offset=4", "[5]");
  service_.answer(
      "/c", "[1]", 200,
      {{"link", "<http://service:8083/c?page=0>; rel=\"prev\", <http://service:8083/c?page=2>; rel=\"next\""}});
  service_.answer("/c?page=2", "[2]");
  service_.answer("/d", R"({"v": [1], "links": {"next": "/d?p=2"}})");
  service_.answer("/d?p=2", R"({"v": [1, 2], "links": {}})");
  const auto batch = collect();
  EXPECT_TRUE(batch->faults.empty()) << batch->faults[0].error.describe();
  EXPECT_EQ(values(*batch), (std::map<std::string, double>{{"n", 3}, {"b", 5}, {"c", 2}, {"d", 3}}));
}

TEST_F(HttpJsonTest, PagesThatGoRoundOrElsewhereEndAsAFault) {
  configure("- {path: /a, items: '/v/*', pages: {next: /next}, metrics: [{name: n, aggregate: count}]}");
  service_.answer("/a", R"({"v": [1], "next": "/b"})");
  service_.answer("/b", R"({"v": [1], "next": "/a"})");
  EXPECT_NE(only_fault().find("circle"), std::string::npos);
  service_.answers.clear();
  service_.answer("/a", R"({"v": [1], "next": "http://evil:8083/a"})");
  EXPECT_NE(only_fault().find("another host"), std::string::npos);
  EXPECT_EQ(service_.requests.back(), "GET /a");
}

TEST_F(HttpJsonTest, AServiceThatAsksToBeLeftAloneIs) {
  configure("- {path: /a, metrics: [{name: a, value: /a}]}\n- {path: /b, metrics: [{name: b, value: /b}]}");
  service_.answer("/a", "{}", 429, {{"retry-after", "45"}});
  service_.answer("/a", R"({"a": 1})");
  service_.answer("/b", R"({"b": 1})");
  auto failed = collect();
  ASSERT_FALSE(failed);
  EXPECT_EQ(service_.requests, (std::vector<std::string>{"GET /a"}));
  failed = collect();  // 30 s later
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("2023-11-14T22:14:35"), std::string::npos) << failed.error().message;
  EXPECT_EQ(service_.requests.size(), 1U);
  EXPECT_EQ(values(*collect()).size(), 2U);
}

TEST_F(HttpJsonTest, AskedToWaitForDaysItWaitsAnHour) {
  configure("- {path: /a, metrics: [{name: a, value: /a}]}");
  service_.answer("/a", "{}", 503, {{"retry-after", "999999999999"}});
  service_.answer("/a", R"({"a": 1})");
  EXPECT_FALSE(collect());
  now_ += 1h;
  EXPECT_TRUE(collect());
}

TEST_F(HttpJsonTest, BrokenAnswersAreNamedAndOtherRequestsGoOn) {
  configure("- {path: /a, metrics: [{name: a, value: /a}]}\n- {path: /b, metrics: [{name: b, value: /b}]}");
  service_.answer("/b", R"({"b": 1})");
  const std::pair<net::HttpResponse, const char*> cases[] = {
      {{200, {}, "<html>login</html>"}, "web page"},
      {{200, {}, R"({"a": )"}, "cut off"},
      {{200, {}, std::string(1000, '[')}, "deeper"},
      {{302, {}, ""}, "redirected"},
      {{401, {}, R"({"message": "token expired"})"}, "token expired"},
      {{403, {}, ""}, "lacks a right"},
      {{500, {}, "\xff\xfe"}, "the service fails"},
  };
  for (const auto& [response, words] : cases) {
    service_.answers["GET /a"] = {response};
    const auto batch = collect();
    ASSERT_TRUE(batch) << words;
    ASSERT_EQ(batch->faults.size(), 1U) << words;
    EXPECT_NE(batch->faults[0].error.describe().find(words), std::string::npos) << batch->faults[0].error.describe();
    EXPECT_EQ(values(*batch), (std::map<std::string, double>{{"b", 1}}));
  }
}

TEST_F(HttpJsonTest, WhatIsDownIsOneErrorThatTouchesNoSeries) {
  configure("- {path: '/a?token=hidden', metrics: [{name: a, value: /a}]}");
  service_.failure = core::fail(ErrorKind::unavailable, "connection refused").error();
  const auto batch = collect();
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(batch.error().describe().find("hidden"), std::string::npos);
}

TEST_F(HttpJsonTest, RequestsAndSamplesAreBounded) {
  configure(R"(
- path: /jobs
  items: /*
  labels: {job: "*1"}
  metrics: [{name: m, value: ""}]
  each: [{path: "/jobs/{job}", optional: true, metrics: [{name: n, value: /n}]}]
)",
            "request_limit: 3\nsample_limit: 4");
  service_.answer("/jobs", "[1, 2, 3, 4, 5, 6]");
  const auto batch = collect();
  EXPECT_EQ(service_.requests.size(), 3U);
  EXPECT_LE(batch->samples.size(), 4U);
  std::string faults;
  for (const core::Fault& fault : batch->faults) faults += fault.error.describe() + "\n";
  EXPECT_NE(faults.find("request_limit"), std::string::npos) << faults;
  EXPECT_NE(faults.find("sample_limit"), std::string::npos) << faults;
}

TEST_F(HttpJsonTest, AnEventTellsOnceOfEachChangeForTheWorse) {
  configure(R"(
- path: /a
  labels: {job: /id}
  metrics: [{name: up, value: /s, map: {OK: 1, "*": 0}}]
  events: [{kind: job_failed, value: /s, to: [FAILED], message: "Job {job} failed: {/why}"}]
)");
  for (const char* state : {"OK", "FAILED", "FAILED", "OK", "FAILED"}) {
    service_.answer("/a", R"({"id": "x", "s": ")" + std::string(state) + R"(", "why": "disk\nfull"})");
  }
  std::string told;
  for (int i = 0; i < 5; ++i) {
    const auto batch = collect();
    for (const core::Event& event : batch->events) told += std::to_string(i) + ": " + event.message + "\n";
  }
  EXPECT_EQ(told, "1: Job x failed: disk full\n4: Job x failed: disk full\n");
}

TEST_F(HttpJsonTest, ATokenIsFetchedKeptAndFetchedAnewWhenItIsRefused) {
  configure("- {path: /a, metrics: [{name: a, value: /a}]}",
            "oauth2: {token_url: 'http://login/token', client_id: weir, client_secret: s, scopes: [read, list]}");
  service_.answers["POST http://login/token"] = {{200, {}, R"({"access_token": "one", "expires_in": 3600})"},
                                                 {200, {}, R"({"access_token": "two", "expires_in": 3600})"}};
  service_.answer("/a", R"({"a": 1})");
  ASSERT_TRUE(collect());
  EXPECT_EQ(service_.last.bearer.reveal(), "one");
  ASSERT_TRUE(collect());
  EXPECT_EQ(service_.requests, (std::vector<std::string>{"POST http://login/token", "GET /a", "GET /a"}));
  service_.answers["GET /a"] = {{401, {}, "{}"}, {200, {}, R"({"a": 2})"}};
  EXPECT_EQ(values(*collect()), (std::map<std::string, double>{{"a", 2}}));
  EXPECT_EQ(service_.last.bearer.reveal(), "two");
  now_ += 1h;
  service_.answers["POST http://login/token"] = {{400, {}, R"({"error": "invalid_client"})"}};
  const auto refused = collect();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().describe().find("invalid_client"), std::string::npos);
}

TEST_F(HttpJsonTest, EveryMistakeOfAnEntryIsNamed) {
  const config::Node node = config::parse_yaml(R"(
name: svc
url: service:8083
interval: 1h
preset: kafka_conect
labels: {"a-b": c}
oauth2: {token_url: login, client_id: x}
basic_auth: {username: u, password: p}
requests:
  - {path: jobs, items: x, metrics: [{name: "1x", value: "/a/*", unit: years, map: {A: b}}, {name: s, map: {A: 1}, states: [c]}], where: [1]}
  - {path: /x}
  - {path: /y, pages: {size: 10}, metrics: [{name: a, valeu: /x}], events: [{kind: k}]}
)",
                                               "weir.yml", diagnostics_);
  parse_http_json(node, diagnostics_);
  const std::string text = diagnostics_.to_string();
  for (const char* words : {"write http://",
                            "from 1s to 4m",
                            "did you mean \"kafka_connect\"",
                            "\"a-b\" is no label",
                            "\"token_url\"",
                            "client_secret",
                            "give one of oauth2",
                            "\"path\": begins with /",
                            "\"x\" is no JSON Pointer",
                            "no metric's name",
                            "a * is for \"items\" alone",
                            "years",
                            "\"b\" is no number",
                            "either map or states",
                            "write {/pointer: [values]}",
                            "has no metrics",
                            "\"parameter\" is missing",
                            "unknown key \"valeu\"",
                            "\"to\" is missing",
                            "\"message\" is missing"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  }
}

}  // namespace
}  // namespace weir::collectors
