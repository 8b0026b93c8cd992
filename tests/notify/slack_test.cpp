#include "notify/slack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "samples.h"

namespace weir::notify {
namespace {

using namespace testing;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

json payload(const core::Notification& notification, const SlackMessage& slack = {},
             const std::string& url = "http://weir:9877") {
  return json::parse(slack_payload(notification, slack, url));
}

TEST(SlackPayload, NamesTheTroubleItsCauseTheThingAndThePage) {
  const json sent = payload(message(1).notification, {.channel = "#data"});
  EXPECT_EQ(sent["channel"], "#data");
  EXPECT_EQ(sent["text"], "*[FIRING:1] Consumer group billing falls behind*");
  const json& attachment = sent["attachments"][0];
  EXPECT_EQ(attachment["color"], "#d72b3f");
  EXPECT_EQ(attachment["fallback"], "[FIRING:1] Consumer group billing falls behind");
  const json& blocks = attachment["blocks"];
  ASSERT_EQ(blocks.size(), 4U);
  EXPECT_EQ(blocks[0]["text"]["text"], "*Likely cause:* the group has no members");
  EXPECT_EQ(blocks[1]["text"]["text"], "• *KafkaConsumerLagHigh* billing is behind");
  EXPECT_EQ(blocks[2]["fields"], json::parse(R"([{"type": "mrkdwn", "text": "*Cluster*\nprod"},
    {"type": "mrkdwn", "text": "*Consumer group*\nbilling"}, {"type": "mrkdwn", "text": "*Severity*\ncritical"}])"));
  EXPECT_EQ(blocks[3]["text"]["text"], "<http://weir:9877/#incident/00000000000000aa|Open in Weir>");
}

TEST(SlackPayload, NamesWhoIsInChargeAndWhatTheTroubleReaches) {
  core::Notification notification = message(1).notification;
  notification.alerts.front().annotations =
      core::Labels{{"pipeline_owner", "finance"}, {"pipeline", "money"}, {"downstream", "table <b> in wh\nand 2 more"}};
  json fields = payload(notification)["attachments"][0]["blocks"][3]["fields"];
  EXPECT_EQ(fields, json::parse(R"([{"type": "mrkdwn", "text": "*Owner*\nfinance"},
    {"type": "mrkdwn", "text": "*Pipeline*\nmoney"},
    {"type": "mrkdwn", "text": "*Downstream*\ntable &lt;b&gt; in wh and 2 more"}])"));
  notification.owner = "ann";
  notification.status = "resolved";
  fields = payload(notification)["attachments"][0]["blocks"][3]["fields"];
  EXPECT_EQ(fields.size(), 2U) << "what is over reaches nothing";
  EXPECT_EQ(fields[0]["text"], "*Owner*\nann") << "a person before a pipeline's team";
}

TEST(SlackPayload, ResolvedIsGreenAndWarningsAreYellow) {
  core::Notification notification = message(1).notification;
  notification.status = "resolved";
  notification.alerts = {resolved("billing")};
  const json over = payload(notification);
  EXPECT_EQ(over["attachments"][0]["color"], "#2eb886");
  EXPECT_THAT(over["text"], HasSubstr("[RESOLVED]"));
  EXPECT_EQ(over["attachments"][0]["blocks"][0]["text"]["text"], "*Likely cause was:* the group has no members");
  EXPECT_THAT(over["attachments"][0]["blocks"][1]["text"]["text"].get<std::string>(), HasSubstr("(resolved)"));
  notification.incident_state = "open";
  const json in_part = payload(notification);
  EXPECT_THAT(in_part["text"], HasSubstr("(the incident goes on)"));
  EXPECT_EQ(in_part["attachments"][0]["blocks"][0]["text"]["text"],
            "*The incident goes on, likely cause:* the group has no members");
  notification.status = "firing";
  notification.alerts = {alert("billing", "warning"), resolved("other", "critical")};
  EXPECT_EQ(payload(notification)["attachments"][0]["color"], "#daa038");
  notification.alerts = {alert("billing", "info")};
  EXPECT_EQ(payload(notification)["attachments"][0]["color"], "#439fe0");
  for (const char* grave : {"critical", "page", "error"}) {
    notification.alerts = {alert("billing", "info"), alert("other", grave)};
    EXPECT_EQ(payload(notification)["attachments"][0]["color"], "#d72b3f") << grave;
  }
}

TEST(SlackPayload, TitleAndTextOfTheConfigurationReplaceWeirsOwn) {
  const json sent = payload(message(1).notification, {.title = "Pipelines", .text = "see the wiki"}, "");
  EXPECT_EQ(sent["text"], "*Pipelines*");
  const json& blocks = sent["attachments"][0]["blocks"];
  EXPECT_EQ(blocks[0]["text"]["text"], "see the wiki");
  EXPECT_EQ(blocks.size(), 3U) << "no link without an external URL";
  EXPECT_FALSE(sent.contains("channel"));
}

TEST(SlackPayload, NothingFromOutsideIsMarkup) {
  core::Notification notification = message(1).notification;
  notification.incident_title = "<!channel> & <https://evil|ok>\nsecond";
  notification.cause = "<@U123>";
  core::Alert hostile = alert("<!here>");
  hostile.annotations = core::Labels{{"summary", "a <b> & c\nd"}};
  notification.alerts = {hostile};
  const std::string sent = slack_payload(notification, {}, "http://weir");
  EXPECT_THAT(sent, Not(HasSubstr("<!")));
  EXPECT_THAT(sent, Not(HasSubstr("<@")));
  EXPECT_THAT(sent, Not(HasSubstr("<https://evil")));
  EXPECT_THAT(sent, HasSubstr("&lt;!channel&gt; &amp; &lt;https://evil|ok&gt; second"));
  EXPECT_THAT(sent, HasSubstr("a &lt;b&gt; &amp; c d"));
}

/// Slack's documented limits for everything in the message.
void expect_within_limits(const json& sent) {
  EXPECT_LE(sent["text"].get<std::string>().size(), 40'000U);
  const json& blocks = sent["attachments"][0]["blocks"];
  EXPECT_LE(blocks.size(), 50U);
  for (const json& block : blocks) {
    if (block.contains("text")) {
      const std::string text = block["text"]["text"];
      EXPECT_FALSE(text.empty());
      const auto characters =
          std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
      EXPECT_LE(characters, 3000);
    }
    if (block.contains("fields")) {
      EXPECT_LE(block["fields"].size(), 10U);
      for (const json& field : block["fields"]) EXPECT_LE(field["text"].get<std::string>().size(), 2000U);
    }
  }
}

TEST(SlackPayload, StaysWithinSlacksLimitsWhateverComes) {
  core::Notification notification = message(1).notification;
  const std::string huge(5'000, '<');
  notification.incident_title = huge;
  notification.cause = huge;
  notification.alerts.clear();
  for (int i = 0; i < 500; ++i) {
    core::Alert one = alert("g");
    core::LabelsBuilder labels(one.labels);
    for (const char* name : {"alertname", "cluster", "consumergroup", "topic", "partition", "registry", "subject",
                             "source", "dataset", "check", "collector"}) {
      labels.set(name, huge);
    }
    one.labels = labels.build();
    one.annotations = core::Labels{{"summary", huge}};
    notification.alerts.push_back(one);
  }
  notification.truncated_alerts = 9'500;
  const json sent = payload(notification);
  expect_within_limits(sent);
  EXPECT_THAT(sent["text"], HasSubstr("[FIRING:10000]"));
  EXPECT_THAT(sent["attachments"][0]["blocks"][1]["text"]["text"].get<std::string>(), HasSubstr("\nand 9990 more"));
  expect_within_limits(payload(notification, {.title = huge, .text = huge}));
}

TEST(SlackPayload, AnEmptyNotificationIsStillAMessage) {
  const json sent = payload({}, {}, "");
  EXPECT_EQ(sent["text"], "*[FIRING:0] Weir*");
  EXPECT_FALSE(sent["attachments"][0].contains("blocks"));
}

TEST(SlackText, CutsBetweenCharactersAndEntities) {
  EXPECT_EQ(slack_text("abc", 3), "abc");
  EXPECT_EQ(slack_text("abcd", 3), "ab…");
  EXPECT_EQ(slack_text("a&b", 5), "a…") << "an entity counts as it is written";
  EXPECT_EQ(slack_text("a&b", 7), "a&amp;b");
  EXPECT_EQ(slack_text("ééé", 2), "é…");
  EXPECT_EQ(slack_text("😀😀", 3), "😀…") << "beyond the basic plane a character counts twice";
  EXPECT_EQ(slack_text("😀😀", 4), "😀😀");
  EXPECT_EQ(slack_text("abc", 0), "");
  EXPECT_EQ(slack_text("", 5), "");
}

TEST(SlackText, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(slack_text("caf\xe9!", 10), "caf\xef\xbf\xbd!");
  EXPECT_EQ(slack_text("\xf0\x9f", 10), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(slack_text("\xed\xa0\x80", 10).size(), 9U) << "a surrogate is none";
  EXPECT_EQ(slack_text("\xc0\xaf", 10).size(), 6U) << "nor is what is longer than need be";
  EXPECT_EQ(slack_text(std::string_view("a\0b", 3), 10), "a b");
}

DeliveryResult answer(int status, const std::string& body) {
  HttpTarget target;
  target.name = "slack";
  return read_slack_answer({.status = status, .headers = {}, .body = body}, target);
}

TEST(SlackAnswer, OnlyOkIsASuccess) {
  EXPECT_TRUE(answer(200, "ok"));
  EXPECT_TRUE(answer(200, "{\"ok\": true}"));
  for (const char* body : {"", "invalid_payload", "{\"ok\": false, \"error\": \"no_text\"}", "{\"ok\": \"true\"}", "{}",
                           "[1]", "ok?", "<html>log in</html>"}) {
    EXPECT_FALSE(answer(200, body)) << body;
  }
}

TEST(SlackAnswer, TellsWhatAPersonMustMendFromWhatPasses) {
  const auto refused = answer(200, "no_service");
  EXPECT_FALSE(refused.error().error.retryable);
  EXPECT_THAT(refused.error().error.describe(),
              HasSubstr("slack: answered 200, but not \"ok\": no_service (the webhook was removed or disabled"));
  EXPECT_FALSE(answer(200, "{\"ok\": false, \"error\": \"channel_not_found\"}").error().error.retryable);
  EXPECT_TRUE(answer(200, "{\"ok\": false, \"error\": \"ratelimited\"}").error().error.retryable);
  EXPECT_TRUE(answer(200, "rollup_error").error().error.retryable);
  EXPECT_TRUE(answer(200, "<html>log in to the hotel's network</html>").error().error.retryable);
}

class SlackNotifier : public ::testing::Test {
 protected:
  void SetUp() override {
    config::Diagnostics diagnostics;
    const RoutingSettings routing = parse(
        "receivers: [{name: team, slack_configs: [{api_url: 'https://hooks.slack.com/services/T0/B0/topsecrettoken', "
        "channel: '#data'}]}]\nroute: {receiver: team}",
        diagnostics);
    ASSERT_TRUE(diagnostics.ok()) << diagnostics.to_string();
    notifier_ = routing.receivers[0].integrations[0].make({http_, "http://weir"});
  }
  DeliveryResult deliver() { return notifier_->deliver(message(1), {.now = at(0)}); }

  FakeHttp http_;
  std::unique_ptr<Notifier> notifier_;
};

TEST_F(SlackNotifier, DeliversToTheIncomingWebhook) {
  ASSERT_TRUE(deliver());
  EXPECT_EQ(http_.requests.at(0).url, "https://hooks.slack.com/services/T0/B0/topsecrettoken");
  EXPECT_EQ(json::parse(http_.requests.at(0).body)["channel"], "#data");
}

TEST_F(SlackNotifier, ARefusalInWordsIsExplainedAndFinal) {
  http_.answer(404, "no_service");
  http_.answer(200, "channel_is_archived");
  EXPECT_EQ(
      deliver().error().error.describe(),
      "receiver \"team\", slack_configs[0]: answered 404: no_service (the webhook was removed or disabled; create "
      "a new one and change api_url)");
  const auto refused = deliver();
  EXPECT_FALSE(refused.error().error.retryable);
}

TEST_F(SlackNotifier, RateLimitsAreRetriedWhenSlackSays) {
  http_.answer(429, "rate_limited", {{"retry-after", "42"}});
  const auto limited = deliver();
  ASSERT_FALSE(limited);
  EXPECT_TRUE(limited.error().error.retryable);
  EXPECT_EQ(limited.error().retry_after, std::chrono::seconds(42));
}

TEST_F(SlackNotifier, NoErrorShowsTheToken) {
  http_.fail({.kind = core::ErrorKind::unavailable,
              .message = "connection refused",
              .retryable = true,
              .where = "https://hooks.slack.com/services/T0/B0/topsecrettoken"});
  http_.answer(404, "no such path /services/T0/B0/topsecrettoken");
  http_.answer(200, "<html>/services/T0/B0/topsecrettoken</html>");
  http_.answer(200, "{\"ok\": false, \"error\": \"topsecrettoken\"}");
  for (int i = 0; i < 4; ++i) {
    const auto failed = deliver();
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().error.describe(), Not(HasSubstr("topsecrettoken"))) << i;
  }
}

}  // namespace
}  // namespace weir::notify
