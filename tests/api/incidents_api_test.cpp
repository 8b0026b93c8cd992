#include "api/incidents_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/routes.h"

#include "fake_backend.h"

namespace weir::api {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

class IncidentsApiTest : public testing::Test {
 protected:
  IncidentsApiTest() {
    core::Incident incident;
    incident.id = "aa";
    incident.opened_at = core::Time(std::chrono::seconds(900));
    incident.handling.owner = "ann";
    fake_.history = std::vector<core::Incident>{incident};
    fake_.handled = incident;
  }
  net::ServerResponse ask(const std::string& method, const std::string& path, const std::string& rest = "",
                          std::vector<std::pair<std::string, std::string>> headers = {}) {
    net::ServerRequest request;
    request.method = method;
    request.path = path;
    (method == "POST" ? request.body : request.query) = rest;
    request.headers = std::move(headers);
    return answer(fake_.backend(), request);
  }
  static std::string error_of(const net::ServerResponse& response) {
    return json::parse(*response.body).value("error", "");
  }

  FakeBackend fake_;
};

TEST_F(IncidentsApiTest, ASearchIsReadWhole) {
  const auto response =
      ask("GET", "/api/v1/incidents",
          "state=resolved&q=stuck%20worker&owner=ann&severity=warning&label=topic%3Da%3Db&from=100&to=200&limit=5&"
          "before=900000-aa");
  ASSERT_EQ(response.status, 200) << *response.body;
  const core::IncidentSearch& search = fake_.asked_search;
  EXPECT_EQ(search.state, core::IncidentSearch::State::resolved);
  EXPECT_THAT(search.words, ElementsAre("stuck", "worker"));
  EXPECT_EQ(search.owner, "ann");
  EXPECT_EQ(search.severity, "warning");
  EXPECT_EQ(search.label_name, "topic");
  EXPECT_EQ(search.label_value, "a=b");
  EXPECT_EQ(search.from, core::Time(std::chrono::seconds(100)));
  EXPECT_EQ(search.to, core::Time(std::chrono::seconds(200)));
  EXPECT_EQ(search.before, core::Time(std::chrono::seconds(900)));
  EXPECT_EQ(search.before_id, "aa");
}

TEST_F(IncidentsApiTest, AParameterThatIsWrongIsNamed) {
  for (const auto& [query, name] :
       std::vector<std::pair<std::string, std::string>>{{"state=odd", "state:"},
                                                        {"severity=odd", "severity:"},
                                                        {"label=topic", "label:"},
                                                        {"label==x", "label:"},
                                                        {"from=x", "from:"},
                                                        {"to=x", "to:"},
                                                        {"before=x", "before:"},
                                                        {"before=-5", "before:"},
                                                        {"q=a+b+c+d+e+f+g", "q:"},
                                                        {"sate=open", "sate:"},
                                                        {"owner=%ff", "owner:"},
                                                        {"q=" + std::string(501, 'a'), "q:"}}) {
    const auto response = ask("GET", "/api/v1/incidents", query);
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_THAT(error_of(response), testing::StartsWith(name)) << query;
  }
}

TEST_F(IncidentsApiTest, APageSaysWhereTheNextBegins) {
  std::vector<core::Incident> rows(3, fake_.history->front());
  rows[1].id = "bb";
  fake_.history = rows;
  const json answer = json::parse(*ask("GET", "/api/v1/incidents", "limit=2").body);
  EXPECT_EQ(answer["incidents"].size(), 2U);
  EXPECT_EQ(answer["next"], "900000-bb");
  EXPECT_EQ(json::parse(*ask("GET", "/api/v1/incidents", "limit=3").body)["next"], nullptr);
}

TEST_F(IncidentsApiTest, SaysWhenTheHistoryIsAwayAndWhatIsShownIsInMemory) {
  EXPECT_EQ(json::parse(*ask("GET", "/api/v1/incidents").body)["history_away"], nullptr);
  fake_.history_away = "postgresql://db: the server does not answer";
  const json answer = json::parse(*ask("GET", "/api/v1/incidents").body);
  EXPECT_EQ(answer["history_away"], "postgresql://db: the server does not answer");
  EXPECT_EQ(answer["incidents"][0]["id"], "aa");
}

TEST_F(IncidentsApiTest, AStandbySaysThatItStandsByAndWhoLeads) {
  fake_.storage_trouble = StorageTrouble{
      .state = "standby",
      .why = "postgresql://db: is in use by another Weir, process 7 (schema \"weir\"); end that one, or name another",
      .holder = "postgresql://db: is in use by another Weir, process 7 (schema \"weir\")"};
  for (const char* path : {"/api/v1/incidents", "/api/v1/incidents/aa", "/api/v1/incidents/aa/postmortem"}) {
    const auto response = ask("GET", path);
    EXPECT_EQ(response.status, 503) << path;
    EXPECT_EQ(
        error_of(response),
        "this Weir stands by and knows no incidents, another one leads: postgresql://db: is in use by another Weir, "
        "process 7 (schema \"weir\"); ask that one");
  }
  EXPECT_EQ(ask("POST", "/api/v1/incidents/aa/acknowledge", R"({"by":"ann"})").status, 503);
  EXPECT_TRUE(fake_.deeds.empty());
}

TEST_F(IncidentsApiTest, DeedsAreHandedOver) {
  const auto post = [&](const std::string& deed, const std::string& body) {
    return ask("POST", "/api/v1/incidents/aa/" + deed, body).status;
  };
  EXPECT_EQ(post("acknowledge", R"({"by":"ann"})"), 200);
  EXPECT_EQ(post("assign", R"({"by":"ann","owner":""})"), 200);
  EXPECT_EQ(post("comment", R"({"by":"ann","text":"x"})"), 200);
  EXPECT_EQ(post("resolve", R"({"by":"ann"})"), 200);
  EXPECT_EQ(post("reopen", R"({"by":"ann","reason":"y"})"), 200);
  EXPECT_EQ(post("merge", R"({"by":"ann","into":"bb"})"), 200);
  std::vector<std::string> seen;
  for (const core::Deed& deed : fake_.deeds)
    seen.push_back(std::to_string(static_cast<int>(deed.kind)) + deed.incident + deed.by + deed.text);
  EXPECT_THAT(seen, ElementsAre("0aaann", "1aaann", "2aaannx", "3aaann", "4aaanny", "5aaannbb"));
  EXPECT_EQ(post("silence", R"({"by":"ann","duration":"1h30m","comment":"z"})"), 200);
  EXPECT_EQ(fake_.silenced, "aa ann z 1h30m");
}

TEST_F(IncidentsApiTest, ABodyThatIsWrongNamesTheField) {
  for (const auto& [deed, body, says] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"acknowledge", "", "JSON object"},
           {"acknowledge", "[]", "JSON object"},
           {"acknowledge", "{}", "by: is required"},
           {"acknowledge", R"({"by":1})", "by: must be a text"},
           {"acknowledge", R"({"by":"a","text":"b"})", "text: is no key here"},
           {"acknowledge", "{\"by\":\"\xff\"}", "JSON object"},
           {"assign", R"({"by":"a"})", "owner: is required"},
           {"merge", R"({"by":"a"})", "into: is required"},
           {"silence", R"({"by":"a","duration":"soon"})", "duration: must be"},
           {"comment", R"({"by":"a","text":")" + std::string(17'000, 'x') + "\"}", "the body has more than"}}) {
    const auto response = ask("POST", "/api/v1/incidents/aa/" + deed, body);
    EXPECT_EQ(response.status, 400) << deed << body.substr(0, 100);
    EXPECT_THAT(error_of(response), HasSubstr(says));
  }
  EXPECT_TRUE(fake_.deeds.empty());
}

TEST_F(IncidentsApiTest, WhatGoesWrongHasItsStatus) {
  using core::ErrorKind;
  for (const auto& [kind, status] : std::vector<std::pair<ErrorKind, int>>{{ErrorKind::invalid, 400},
                                                                           {ErrorKind::not_found, 404},
                                                                           {ErrorKind::limit, 409},
                                                                           {ErrorKind::storage, 503},
                                                                           {ErrorKind::unavailable, 503},
                                                                           {ErrorKind::timeout, 504}}) {
    fake_.handled = core::fail(kind, "because");
    const auto response = ask("POST", "/api/v1/incidents/aa/acknowledge", R"({"by":"ann"})");
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(error_of(response), "because");
  }
}

TEST_F(IncidentsApiTest, APageOfAnotherSiteMayReadNothingIntoBeing) {
  for (const auto& headers : std::vector<std::vector<std::pair<std::string, std::string>>>{
           {{"sec-fetch-site", "cross-site"}}, {{"origin", "http://evil.example"}, {"host", "127.0.0.1:9877"}}}) {
    EXPECT_EQ(ask("POST", "/api/v1/incidents/aa/acknowledge", R"({"by":"ann"})", headers).status, 403);
  }
  EXPECT_TRUE(fake_.deeds.empty());
}

TEST_F(IncidentsApiTest, MethodsAndPathsAreHeldTo) {
  EXPECT_EQ(ask("GET", "/api/v1/incidents/aa/acknowledge").status, 405);
  EXPECT_EQ(ask("POST", "/api/v1/incidents", "{}").status, 405);
  EXPECT_EQ(ask("DELETE", "/api/v1/incidents/aa").status, 405);
  EXPECT_EQ(ask("GET", "/api/v1/incidents/aa/frobnicate").status, 404);
  EXPECT_EQ(ask("GET", "/api/v1/incidents/aa/acknowledge/x").status, 404);
  EXPECT_EQ(ask("GET", "/api/v1/incidentsx").status, 404);
  const auto one = ask("GET", "/api/v1/incidents/aa");
  EXPECT_EQ(json::parse(*one.body)["owner"], "ann");
  const auto report = ask("GET", "/api/v1/incidents/aa/postmortem");
  EXPECT_EQ(report.content_type, "text/markdown; charset=utf-8");
  EXPECT_EQ(*report.body, "# Post-mortem");
  EXPECT_EQ(ask("GET", "/api/weir/v1/incidents/bb/postmortem").status, 404);
}

}  // namespace
}  // namespace weir::api
