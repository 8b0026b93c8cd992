#include "api/rules_api.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/fake_backend.h"

namespace weir::api {
namespace {

using nlohmann::json;

class RulesApiTest : public testing::Test {
 protected:
  RulesApiTest() {
    RuleGroupView first{.name = "g",
                        .file = "a.yml",
                        .interval = std::chrono::milliseconds(15'500),
                        .limit = 7,
                        .rules = {},
                        .last = {FakeBackend::now(), 0.25, ""}};
    core::Alert firing = alert("LagHigh", core::AlertState::firing, core::Labels{{"topic", "t"}});
    firing.keep_firing_since = core::Time(std::chrono::seconds(950));
    first.rules = {{.alerting = true,
                    .name = "LagHigh",
                    .query = "lag > 5",
                    .hold = std::chrono::minutes(1),
                    .keep_firing_for = std::chrono::seconds(90),
                    .labels = core::Labels{{"severity", "page"}},
                    .annotations = core::Labels{{"summary", "{{ $value }}"}},
                    .alerts = {alert("LagHigh", core::AlertState::pending, {}), firing},
                    .last = {FakeBackend::now(), 0.125, ""}},
                   {.alerting = false,
                    .name = "job:up",
                    .query = "sum by (job) (up)",
                    .hold = {},
                    .keep_firing_for = {},
                    .labels = {},
                    .annotations = {},
                    .alerts = {},
                    .last = {FakeBackend::now(), 0, "many-to-many"}}};
    RuleGroupView second{
        .name = "h", .file = "b.yml", .interval = std::chrono::seconds(60), .limit = 0, .rules = {}, .last = {}};
    second.rules = {{.alerting = true,
                     .name = "Never",
                     .query = "up > 5",
                     .hold = {},
                     .keep_firing_for = {},
                     .labels = {},
                     .annotations = {},
                     .alerts = {},
                     .last = {}}};
    // Shown in order of file and name.
    fake_.rule_groups = {std::make_shared<const RuleGroupView>(second), std::make_shared<const RuleGroupView>(first)};
  }
  json ask(const std::string& query, int status = 200) {
    net::ServerRequest request;
    request.method = "GET";
    request.query = query;
    const auto response = rules(fake_.backend(), request);
    EXPECT_EQ(response.status, status) << *response.body;
    return json::parse(*response.body);
  }
  /// "group/rule" of all that is shown.
  std::vector<std::string> shown(const std::string& query) {
    std::vector<std::string> names;
    const json answer = ask(query);
    for (const json& group : answer["data"]["groups"]) {
      for (const json& rule : group["rules"])
        names.push_back(group["name"].get<std::string>() + "/" + rule["name"].get<std::string>());
    }
    return names;
  }
  using Names = std::vector<std::string>;
  FakeBackend fake_;
};

TEST_F(RulesApiTest, GroupsHaveThePrometheusShape) {
  const json answer = ask("");
  EXPECT_EQ(answer["status"], "success");
  EXPECT_EQ(answer["data"]["groups"][0], json::parse(R"x({
    "name":"g","file":"a.yml","interval":15.5,"limit":7,"evaluationTime":0.25,"lastEvaluation":"1970-01-01T00:16:40Z",
    "rules":[
      {"state":"firing","name":"LagHigh","query":"lag > 5","duration":60,"keepFiringFor":90,
       "labels":{"severity":"page"},"annotations":{"summary":"{{ $value }}"},
       "alerts":[
         {"labels":{"alertname":"LagHigh"},"annotations":{"summary":"about LagHigh"},"state":"pending",
          "activeAt":"1970-01-01T00:15:00Z","value":"1.2e+04"},
         {"labels":{"alertname":"LagHigh","topic":"t"},"annotations":{"summary":"about LagHigh"},"state":"firing",
          "activeAt":"1970-01-01T00:15:00Z","keepFiringSince":"1970-01-01T00:15:50Z","value":"1.2e+04"}],
       "health":"ok","evaluationTime":0.125,"lastEvaluation":"1970-01-01T00:16:40Z","type":"alerting"},
      {"name":"job:up","query":"sum by (job) (up)","health":"err","lastError":"many-to-many","evaluationTime":0,
       "lastEvaluation":"1970-01-01T00:16:40Z","type":"recording"}]})x"));
}

TEST_F(RulesApiTest, ARuleThatWasNeverEvaluatedIsOfUnknownHealth) {
  const json rule = ask("rule_group[]=h")["data"]["groups"][0]["rules"][0];
  EXPECT_EQ(rule["health"], "unknown");
  EXPECT_EQ(rule["lastEvaluation"], "0001-01-01T00:00:00Z");
  EXPECT_EQ(rule["state"], "inactive");
  EXPECT_EQ(rule["alerts"], json::array());
}

TEST_F(RulesApiTest, FiltersLeaveOutRulesAndEmptyGroups) {
  EXPECT_EQ(shown(""), (Names{"g/LagHigh", "g/job:up", "h/Never"}));
  EXPECT_EQ(shown("type=alert"), (Names{"g/LagHigh", "h/Never"}));
  EXPECT_EQ(shown("type=RECORD"), (Names{"g/job:up"}));
  EXPECT_EQ(shown("rule_name[]=Never&rule_name[]=job:up"), (Names{"g/job:up", "h/Never"}));
  EXPECT_EQ(shown("rule_group[]=g&type=record"), (Names{"g/job:up"}));
  EXPECT_EQ(shown("file[]=b.yml"), (Names{"h/Never"}));
  EXPECT_EQ(shown("match[]=%7Bseverity%3D~%22pa.%2B%22%7D"), (Names{"g/LagHigh"}));
  EXPECT_EQ(shown("match[]=none&match[]=%7Bseverity%3D%22page%22,x!%3D%22y%22%7D"), (Names{"g/LagHigh"}));
  EXPECT_EQ(shown("match[]=%7Bseverity%3D%22page%22,severity!~%22p.*%22%7D"), Names());
  EXPECT_EQ(shown("file[]=none"), Names());
  EXPECT_TRUE(ask("exclude_alerts=true")["data"]["groups"][0]["rules"][0]["alerts"].is_null());
}

TEST_F(RulesApiTest, GroupsComeInPages) {
  const json first = ask("group_limit=1");
  ASSERT_EQ(first["data"]["groups"].size(), 1U);
  const std::string token = first["data"]["groupNextToken"];
  const json second = ask("group_limit=1&group_next_token=" + token);
  EXPECT_EQ(second["data"]["groups"][0]["name"], "h");
  EXPECT_FALSE(second["data"].contains("groupNextToken"));
  EXPECT_FALSE(ask("")["data"].contains("groupNextToken"));
}

TEST_F(RulesApiTest, BadInputIsNamed) {
  EXPECT_EQ(ask("type=foo", 400)["error"], "invalid parameter \"type\": not supported value \"foo\"");
  for (const char* query : {"exclude_alerts=maybe", "group_limit=0", "group_limit=x", "group_next_token=a",
                            "group_limit=1&group_next_token=a", "match[]={}"})
    EXPECT_EQ(ask(query, 400)["errorType"], "bad_data") << query;
}

TEST_F(RulesApiTest, AlertsAreThoseOfTheView) {
  fake_.alerts = {alert("A", core::AlertState::firing, {})};
  const json answer = json::parse(*alerts(fake_.backend(), {}).body);
  EXPECT_EQ(answer, json::parse(R"({"status":"success","data":{"alerts":[
    {"labels":{"alertname":"A"},"annotations":{"summary":"about A"},"state":"firing",
     "activeAt":"1970-01-01T00:15:00Z","value":"1.2e+04"}]}})"));
}

}  // namespace
}  // namespace weir::api
