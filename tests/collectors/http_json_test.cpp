#include "collectors/http_json.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "http_json_fixture.h"

namespace weir::collectors {
namespace {

using core::ErrorKind;
using core::Labels;

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

TEST_F(HttpJsonTest, TextsAreTakenApartAndPutTogether) {
  configure(R"(
- path: /a
  items: /jobs/*
  labels:
    state: {value: /s, map: {SUCCEEDED: success, "*": other}}
    team: {value: /name, match: "^([a-z]+)-"}
    owner: {value: /owner, or: "nobody of {region}"}
  let: {file: {value: "{/path|/name}", replace: {".csv": "-{region}"}}}
  metrics: [{name: m, value: /n, labels: {file: "{file}"}}]
- path: /a
  items: /tags/*
  labels: {tag: ""}
  where: {"{region}": "*", "{nothing}": ""}
  metrics: [{name: t, aggregate: count}]
- path: /a
  split: {name: part, value: /list, by: ";"}
  labels: {part: "{part}"}
  metrics: [{name: p, aggregate: count}]
)",
            "variables: {region: eu, nothing: ''}");
  service_.answer("/a", R"({"jobs": [{"s": "SUCCEEDED", "name": "pay-1", "n": 1, "path": "x.csv"},
                                     {"s": "LOST", "name": "Pay", "n": 2, "owner": "ann"}],
                            "tags": ["a", "b"], "list": " x;;y ;"})");
  const auto batch = collect();
  EXPECT_EQ(values(*batch), (std::map<std::string, double>{
                                {R"(m{file="x-eu",owner="nobody of eu",state="success",team="pay"})", 1},
                                {R"(m{file="Pay",owner="ann",state="other"})", 2},
                                {R"(t{tag="a"})", 1},
                                {R"(t{tag="b"})", 1},
                                {R"(p{part="x"})", 1},
                                {R"(p{part="y"})", 1},
                            }));
  EXPECT_EQ(service_.requests.size(), 1U) << "the same answer is asked for once a cycle";
}

TEST_F(HttpJsonTest, WaysOfDataAreToldWhereBothEndsHaveANameAndOnce) {
  configure(R"(
- path: /a
  items: /*
  edges:
    - {from: {kind: table, place: wh, name: "{/table}"}, to: {kind: topic, place: "{cluster}", name: "{/topic}"}}
    - {from: {kind: topic, name: "{/topic}"}, to: {kind: job, name: x}, where: {/used: "true"}}
)",
            "labels: {cluster: prod}");
  service_.answer("/a",
                  R"([{"table": "t", "topic": "p"}, {"table": "t", "topic": "p", "used": true}, {"table": "u"}])");
  const auto batch = collect();
  ASSERT_EQ(batch->edges.size(), 2U);
  EXPECT_EQ(batch->edges[0], (core::Edge{{"table", "wh", "t"}, {"topic", "prod", "p"}, "http_json"}));
  EXPECT_EQ(batch->edges[1], (core::Edge{{"topic", "", "p"}, {"job", "", "x"}, "http_json"}));
}

TEST_F(HttpJsonTest, ChangesOfAValueAreCounted) {
  configure(R"(
- path: /a
  items: /*
  labels: {job: "*1"}
  metrics: [{name: restarts_total, type: counter, value: "", changes: {from: [FAILED, LOST], to: [UP, LOST]}}]
)");
  for (const char* state : {"UP", "FAILED", "UP", "LOST", "FAILED", "FAILED", "LOST", "UP"}) {
    service_.answer("/a", R"({"x": ")" + std::string(state) + R"("})");
  }
  std::vector<double> counts;
  for (int i = 0; i < 8; ++i) counts.push_back(collect()->samples.at(0).value);
  EXPECT_EQ(counts, (std::vector<double>{0, 0, 1, 1, 1, 1, 2, 3}));
}

TEST_F(HttpJsonTest, TheFirstOfItemsIsTheNewestWhereTheServiceSaysSo) {
  configure(R"(
- path: /a
  items: /*
  labels: {job: /j}
  metrics: [{name: last, value: /s, states: [OK, BAD], aggregate: first}]
)");
  service_.answer("/a", R"([{"j": "x", "s": "BAD"}, {"j": "y", "s": "OK"}, {"j": "x", "s": "OK"}])");
  EXPECT_EQ(values(*collect()), (std::map<std::string, double>{{R"(last{job="x",state="BAD"})", 1},
                                                               {R"(last{job="x",state="OK"})", 0},
                                                               {R"(last{job="y",state="BAD"})", 0},
                                                               {R"(last{job="y",state="OK"})", 1}}));
}

TEST_F(HttpJsonTest, AnAnswerOfAnotherShapeIsAFaultAndNotNothing) {
  configure("- {path: /a, items: '/jobs/*', metrics: [{name: a, aggregate: count}]}");
  for (const char* body : {"{}", R"({"jobs": null})", R"({"jobs": "none"})", "[]", "7"}) {
    service_.answers["GET /a"] = {{200, {}, body}};
    EXPECT_NE(only_fault().find("has no /jobs"), std::string::npos) << body;
  }
  service_.answers["GET /a"] = {{202, {}, R"({"message": "still running"})"}};
  EXPECT_NE(only_fault().find("has not done it yet (HTTP 202): still running"), std::string::npos);
}

TEST_F(HttpJsonTest, ServicesThatLeaveEmptyListsOutMay) {
  configure("- {path: /a, items: '/jobs/*', absent_is_empty: true, metrics: [{name: a, aggregate: count}]}");
  service_.answer("/a", "{}");
  const auto batch = collect();
  EXPECT_TRUE(batch && batch->faults.empty() && batch->samples.empty());
}

TEST_F(HttpJsonTest, ErrorsOfGraphQlAreFaultsThoughTheStatusIs200) {
  configure(R"(
- path: /graphql
  method: POST
  body: '{"query": "{ runs { id } }", "variables": {"since": {unix-1d}, "who": "{who}"}}'
  items: /data/runs/*
  errors: [/errors/0/message, /data/runs/message]
  metrics: [{name: a, aggregate: count}]
)",
            R"(variables: {who: 'a"b'})");
  const std::string key = R"(POST /graphql)";
  service_.answers[key] = {{200, {}, R"({"errors": [{"message": "no field for jane@example.com"}]})"},
                           {200, {}, R"({"data": {"runs": {"message": "locked"}}})"},
                           {200, {}, R"({"data": {"runs": [{"id": 1}]}})"}};
  EXPECT_NE(only_fault().find("the service says: no field for <email>"), std::string::npos);
  EXPECT_NE(only_fault().find("the service says: locked"), std::string::npos);
  EXPECT_EQ(values(*collect()), (std::map<std::string, double>{{"a", 1}}));
  EXPECT_EQ(service_.last.body, R"({"query": "{ runs { id } }", "variables": {"since": 1699913690, "who": "a\"b"}})");
}

TEST_F(HttpJsonTest, PagesAreAskedForInABodyAndByNumber) {
  configure(R"(
- path: /a
  method: POST
  body: '{"limit": 2, "sort": "NEW"}'
  items: /*
  pages: {size: 2, parameter: /offset}
  metrics: [{name: a, aggregate: count}]
- {path: /b, items: '/*', pages: {size: 1, parameter: page, numbered: true}, metrics: [{name: b, aggregate: count}]}
- {path: /c, items: '/v/*', pages: {next: /next}, metrics: [{name: c, aggregate: count}]}
)");
  service_.answers["POST /a"] = {{200, {}, "[1, 2]"}, {200, {}, "[3]"}};
  service_.answer("/b", "[1]");
  service_.answer("/b?page=2", "[2]");
  service_.answer("/b?page=3", "[]");
  service_.answer("/c", R"({"v": [1], "next": "?p=2"})");
  service_.answer("/c?p=2", R"({"v": [1]})");
  const auto batch = collect();
  EXPECT_EQ(values(*batch), (std::map<std::string, double>{{"a", 3}, {"b", 2}, {"c", 2}}));
  EXPECT_TRUE(batch->faults.empty());
  EXPECT_EQ(service_.requests, (std::vector<std::string>{"POST /a", "POST /a", "GET /b", "GET /b?page=2",
                                                         "GET /b?page=3", "GET /c", "GET /c?p=2"}));
}

TEST_F(HttpJsonTest, CursorsWithoutEndAreBounded) {
  configure("- {path: /a, items: '/v/*', pages: {cursor: /n, parameter: c}, metrics: [{name: a, aggregate: count}]}");
  service_.answer("/a", R"({"v": [1], "n": "0"})");
  for (int page = 0; page < 100; ++page) {
    service_.answer("/a?c=" + std::to_string(page), R"({"v": [1], "n": ")" + std::to_string(page + 1) + R"("})");
  }
  EXPECT_NE(only_fault().find("more than 50 pages"), std::string::npos);
  EXPECT_EQ(service_.requests.size(), 50U);
  service_.answers["GET /a?c=0"] = {{200, {}, R"({"v": [1], "n": "0"})"}};
  EXPECT_NE(only_fault().find("circle"), std::string::npos);
}

TEST_F(HttpJsonTest, ADateToWaitForAndAnEmptyRateLimitAreObeyed) {
  configure("- {path: /a, metrics: [{name: a, value: /a}]}");
  service_.answer("/a", "{}", 503, {{"retry-after", "Tue, 14 Nov 2023 22:15:20 GMT"}});
  service_.answer("/a", R"({"a": 1})", 200, {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1700000300"}});
  service_.answer("/a", R"({"a": 2})", 200, {{"ratelimit-remaining", "0"}, {"ratelimit-reset", "40"}});
  service_.answer("/a", R"({"a": 3})");
  ASSERT_FALSE(collect());  // 22:13:50
  const auto waiting = collect();
  ASSERT_FALSE(waiting);
  EXPECT_NE(waiting.error().message.find("2023-11-14T22:15:20"), std::string::npos) << waiting.error().message;
  EXPECT_FALSE(collect());
  EXPECT_TRUE(collect());  // 22:15:20
  EXPECT_FALSE(collect());
  now_ = core::Time(1'700'000'300s) - 30s;
  EXPECT_TRUE(collect());
  EXPECT_FALSE(collect());
  EXPECT_TRUE(collect());
}

TEST_F(HttpJsonTest, AgesAreNotToldByAClockThatIsWrong) {
  configure("- {path: /a, metrics: [{name: a_age_seconds, value: /t, unit: age}, {name: n, value: /n}]}");
  const std::string body = R"({"t": "2023-11-14T22:13:20Z", "n": 1})";
  service_.answer("/a", body, 200, {{"date", "Tue, 14 Nov 2023 22:13:52 GMT"}});
  service_.answer("/a", body, 200, {{"date", "Tue, 14 Nov 2023 22:29:20 GMT"}});
  service_.answer("/a", body, 200, {{"date", "yesterday"}});
  EXPECT_EQ(values(*collect()), (std::map<std::string, double>{{"a_age_seconds", 30}, {"n", 1}}));
  const auto batch = collect();
  EXPECT_EQ(values(*batch), (std::map<std::string, double>{{"n", 1}}));
  ASSERT_EQ(batch->faults.size(), 1U);
  EXPECT_NE(batch->faults[0].error.message.find("clock is 15m ahead"), std::string::npos)
      << batch->faults[0].error.message;
  EXPECT_EQ(batch->faults[0].scope, (Labels{{"__name__", "a_age_seconds"}}));
  EXPECT_EQ(values(*collect()).size(), 2U);
}

TEST_F(HttpJsonTest, WhatIsDatedAheadHasNoAgeUnlessItIsPlanned) {
  configure(
      "- {path: /a, items: /*, labels: {id: /id}, metrics: [{name: age_seconds, value: /t, unit: age},\n"
      "    {name: wait_seconds, value: /t, unit: age, planned: true}]}");
  service_.answer("/a", R"([{"id": 1, "t": "2023-11-15T00:13:50Z"}, {"id": 2, "t": "2023-11-14T22:15:20Z"},
                            {"id": 3, "t": "2023-11-14T22:12:50Z"}])");
  const auto batch = collect();  // 22:13:50
  EXPECT_EQ(values(*batch), (std::map<std::string, double>{{R"(age_seconds{id="2"})", 0},
                                                           {R"(age_seconds{id="3"})", 60},
                                                           {R"(wait_seconds{id="1"})", 0},
                                                           {R"(wait_seconds{id="2"})", 0},
                                                           {R"(wait_seconds{id="3"})", 60}}));
  ASSERT_EQ(batch->faults.size(), 1U);
  EXPECT_EQ(
      batch->faults[0].error.message,
      "/t is 2023-11-15T00:13:50.000Z, 2h ahead of this machine's clock, so its age (age_seconds) cannot be told; "
      "set the clock that is wrong, or its time zone");
  EXPECT_EQ(batch->faults[0].scope, (Labels{{"__name__", "age_seconds"}}));
}

TEST_F(HttpJsonTest, ADateToWaitForIsByTheServicesOwnClock) {
  configure("- {path: /a, metrics: [{name: a, value: /a}]}");
  service_.answer("/a", "{}", 503,
                  {{"retry-after", "Wed, 15 Nov 2023 10:00:30 GMT"}, {"date", "Wed, 15 Nov 2023 10:00:00 GMT"}});
  service_.answer("/a", R"({"a": 1})");
  ASSERT_FALSE(collect());
  EXPECT_TRUE(collect()) << "30 s later";
}

TEST_F(HttpJsonTest, WhatIsOptionalMayBeRefusedWithTheStatusesThatAreNamed) {
  configure("- {path: /a, optional: [403, 404], metrics: [{name: a, value: /a}]}");
  service_.answers["GET /a"] = {{403, {}, "{}"}, {404, {}, "{}"}, {401, {}, "{}"}};
  EXPECT_TRUE(collect());
  EXPECT_TRUE(collect());
  EXPECT_FALSE(collect());
}

TEST_F(HttpJsonTest, WhatAPersonReadsOfAnAnswerIsMasked) {
  configure(R"(
- path: /a
  labels: {job: /job}
  let: {host: /host}
  metrics: [{name: up, value: /s, map: {OK: 1, "*": 0}}]
  events: [{kind: job_failed, value: /s, to: [BAD], message: "{job} on {host}: {/why} {trace /trace}"}]
)");
  service_.answer("/a", R"({"job": "x", "host": "10.0.0.1:80", "s": "BAD", "why": "ann@example.com",
                            "trace": "a.B: 4111 1111 1111 1111\n at"})");
  EXPECT_EQ(collect()->events.at(0).message, "x on 10.0.0.1:80: <email> B: <card>");
}

TEST_F(HttpJsonTest, RunsThatFailedLongAgoAreNotNewsAndEachIsToldOnce) {
  configure(R"(
- path: /a
  items: /*
  runs: {system: x, pipeline: /p, state: {value: /s, map: {OK: success, BAD: failed}}, id: /id, ended: /end, message: "run {/id}"}
)");
  service_.answer(
      "/a",
      R"([{"id": 1, "p": "n", "s": "BAD", "end": 1699990000}, {"id": 2, "p": "n", "s": "BAD", "end": 1699999900}])");
  service_.answer(
      "/a",
      R"([{"id": 3, "p": "n", "s": "BAD", "end": 1700000050}, {"id": 2, "p": "n", "s": "BAD", "end": 1699999900}])");
  std::string told;
  for (int i = 0; i < 3; ++i) {
    const auto batch = collect();
    for (const core::Event& event : batch->events) told += std::to_string(i) + ": " + event.message + "\n";
  }
  EXPECT_EQ(told, "0: A run of n (x) failed: run 2\n1: A run of n (x) failed: run 3\n");
}

}  // namespace
}  // namespace weir::collectors
