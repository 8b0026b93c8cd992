#include "api/alertmanager_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/routes.h"

#include "fake_backend.h"

namespace weir::api {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class AlertmanagerApi : public ::testing::Test {
 protected:
  AlertmanagerApi() {
    core::NotificationView view;
    view.receivers = {"team", "page"};
    for (const char* name : {"A", "B"}) {
      core::RoutedAlert routed;
      routed.alert.labels = core::Labels{{"alertname", name}, {"severity", "critical"}};
      routed.alert.fingerprint = routed.alert.labels.hash();
      routed.receivers = {"team"};
      view.alerts.push_back(routed);
    }
    view.alerts[1].suppression = {.inhibited_by = {0xff}, .silenced_by = {"s"}};
    view.groups = {{.receiver = "team", .labels = {}, .alerts = {0, 1}}};
    auto shared = std::make_shared<const core::NotificationView>(view);
    Notifications& api = backend_.notifications;
    api.view = [shared] { return shared; };
    api.silences = [this] { return silences_; };
    api.set_silence = [this](core::Silence silence) -> core::Result<std::string> {
      silences_.push_back(silence);
      return "id-1";
    };
    api.expire_silence = [](const std::string& id) -> core::Result<void> {
      if (id != "s") return core::fail(core::ErrorKind::not_found, "silence " + id + " not found");
      return {};
    };
    api.parse_matchers = [](const std::string& text) -> core::Result<std::vector<core::Matcher>> {
      const std::size_t at = text.find('=');
      if (at == std::string::npos) return core::fail(core::ErrorKind::invalid, "no operator");
      return std::vector<core::Matcher>{{text.substr(0, at), core::MatchOp::equal, text.substr(at + 1)}};
    };
    api.config = [] { return std::string("route: {}"); };
    api.external_url = "http://weir.internal";
  }

  net::ServerResponse ask(const std::string& method, const std::string& path, const std::string& query = {},
                          const std::string& body = {}) {
    return answer(backend_, {.method = method, .path = path, .query = query, .body = body, .headers = {}});
  }
  std::vector<std::string> names(const std::string& query) {
    std::vector<std::string> found;
    for (const json& alert : json::parse(*ask("GET", "/api/v2/alerts", query).body))
      found.push_back(alert["labels"]["alertname"]);
    return found;
  }

  FakeBackend fake_;
  Backend backend_ = fake_.backend();
  std::vector<core::Silence> silences_;
};

using Names = std::vector<std::string>;

TEST_F(AlertmanagerApi, AlertsAreFilteredByStateMatchersAndReceiver) {
  EXPECT_EQ(names(""), (Names{"A", "B"}));
  EXPECT_EQ(names("active=false"), Names{"B"});
  EXPECT_EQ(names("silenced=false"), Names{"A"});
  EXPECT_EQ(names("inhibited=false"), Names{"A"});
  EXPECT_EQ(names("filter=alertname%3DA"), Names{"A"});
  EXPECT_EQ(names("receiver=te.*"), (Names{"A", "B"}));
  EXPECT_EQ(names("receiver=te"), Names{});
  EXPECT_EQ(ask("GET", "/api/v2/alerts", "receiver=(").status, 400);
  EXPECT_EQ(ask("GET", "/api/v2/alerts", "filter=x").status, 400);
  const json shown = json::parse(*ask("GET", "/api/v2/alerts").body)[1];
  EXPECT_EQ(shown["status"],
            (json{{"state", "suppressed"}, {"silencedBy", {"s"}}, {"inhibitedBy", {"00000000000000ff"}}}));
  EXPECT_EQ(json::parse(*ask("GET", "/api/v2/alerts/groups").body)[0]["alerts"].size(), 2U);
  EXPECT_EQ(json::parse(*ask("GET", "/api/v2/receivers").body), (json{{{"name", "team"}}, {{"name", "page"}}}));
  EXPECT_EQ(json::parse(*ask("GET", "/api/v2/status").body)["config"]["original"], "route: {}");
}

TEST_F(AlertmanagerApi, ASilenceIsReadWithItsOperators) {
  const auto posted = ask("POST", "/api/v2/silences", "", R"({"matchers": [
      {"name": "a", "value": "1", "isRegex": false}, {"name": "b", "value": "2", "isRegex": false, "isEqual": false},
      {"name": "c", "value": "3", "isRegex": true}, {"name": "d", "value": "4", "isRegex": true, "isEqual": false}],
      "startsAt": "2026-01-02T03:04:05Z", "endsAt": "2026-01-02T05:04:05+01:00", "createdBy": "me", "comment": "c"})");
  EXPECT_EQ(posted.status, 200);
  EXPECT_EQ(json::parse(*posted.body)["silenceID"], "id-1");
  ASSERT_EQ(silences_.size(), 1U);
  const core::Silence& silence = silences_[0];
  EXPECT_EQ(silence.matchers[0].op, core::MatchOp::equal);
  EXPECT_EQ(silence.matchers[1].op, core::MatchOp::not_equal);
  EXPECT_EQ(silence.matchers[2].op, core::MatchOp::regex);
  EXPECT_EQ(silence.matchers[3].op, core::MatchOp::not_regex);
  EXPECT_EQ(silence.ends_at - silence.starts_at, std::chrono::hours(1));
  const json list = json::parse(*ask("GET", "/api/v2/silences", "filter=a%3D1").body);
  EXPECT_EQ(list[0]["matchers"][3], (json{{"name", "d"}, {"value", "4"}, {"isRegex", true}, {"isEqual", false}}));
  // As Alertmanager's API and amtool: those that have such a matcher.
  for (const char* filter : {"a%3D2", "b%3D2", "c%3D3", "z%3D"})
    EXPECT_TRUE(json::parse(*ask("GET", "/api/v2/silences", std::string("filter=") + filter).body).empty()) << filter;
}

TEST_F(AlertmanagerApi, OtherMethodsPathsAndBodiesAreRefused) {
  for (const char* body : {"", "[]", "{", R"({"createdBy": 1, "comment": ""})", R"({"createdBy": "", "comment": ""})"})
    EXPECT_EQ(ask("POST", "/api/v2/silences", "", body).status, 400) << body;
  EXPECT_EQ(ask("POST", "/api/v2/alerts", "", "[]").status, 405);
  EXPECT_EQ(ask("DELETE", "/api/v2/silences").status, 405);
  EXPECT_EQ(ask("DELETE", "/api/v2/silence/s").status, 200);
  EXPECT_EQ(ask("DELETE", "/api/v2/silence/x").status, 500) << "of errors release 0.25 knows no other there";
  EXPECT_EQ(ask("GET", "/api/v2/silence/x").status, 404);
  EXPECT_EQ(ask("GET", "/api/v2/nothing").status, 404);
  EXPECT_EQ(ask("DELETE", "/metrics").status, 405);
  net::ServerRequest other{.method = "DELETE", .path = "/api/v2/silence/s", .query = "", .body = "", .headers = {}};
  other.headers = {{"host", "localhost"}, {"origin", "http://evil.example"}};
  EXPECT_EQ(answer(backend_, other).status, 403);
}

}  // namespace
}  // namespace weir::api
