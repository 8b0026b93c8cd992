#include "app/routing_notes.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <span>
#include <unistd.h>

namespace weir::app {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kRules = R"(groups:
  - name: g
    rules:
      - {alert: KafkaBrokerDown, expr: up == 0, labels: {severity: critical, teem: kafka}}
      - {alert: Other, expr: up == 0, labels: {severity: warnin}}
)";

class RoutingNotesTest : public testing::Test {
 protected:
  RoutingNotesTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir-routing-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    write("rules.yml", kRules);
  }
  ~RoutingNotesTest() override { std::filesystem::remove_all(folder_); }

  void write(const char* name, const std::string& text) { std::ofstream(folder_ / name) << text; }

  /// The notes of a configuration with one cluster, the rules above and `text`, which begins at line 3.
  std::string notes(const std::string& text) {
    write("weir.yml", "kafka: [{name: p, brokers: \"b:1\"}]\nrules: {files: rules.yml}\n" + text);
    const auto settings = load_settings((folder_ / "weir.yml").string());
    const std::span<const config::Diagnostic> found = settings ? settings->hints : settings.error().hints();
    std::string all;
    for (const config::Diagnostic& hint : found) all += hint.to_string().substr(folder_.string().size() + 1) + "\n";
    return all;
  }

  std::filesystem::path folder_;
};

constexpr const char* kTeam = "receivers: [{name: team, webhook_configs: [{url: \"http://a\"}]}]\n";

TEST_F(RoutingNotesTest, AnAlertThatNoRuleHasIsNoted) {
  const std::string found = notes(std::string(kTeam) + R"(route:
  receiver: team
  routes:
    - matchers: ['alertname="KafkaBrokerDwn"']
    - match: {alertname: Othr}
    - matchers: [alertname=KafkaBrokerDown, alertname=~"Kafka.*", alertname!=Gone]
    - matchers: [alertname=DataAbsent]
inhibit_rules:
  - {source_matchers: [alertname=SomethingElse], target_matchers: [alertname=Other], equal: [cluster]}
)");
  EXPECT_THAT(found, HasSubstr("weir.yml:7:18: route: no rule has an alert \"KafkaBrokerDwn\" (did you mean "
                               "\"KafkaBrokerDown\"?)\n"));
  EXPECT_THAT(found, HasSubstr("weir.yml:8:15: route: no rule has an alert \"Othr\" (did you mean \"Other\"?)\n"));
  EXPECT_THAT(found, HasSubstr("weir.yml:12:24: inhibit rule: no rule has an alert \"SomethingElse\"\n"));
  EXPECT_EQ(std::ranges::count(found, '\n'), 4) << found << "with the severity of a rule";
}

TEST_F(RoutingNotesTest, NoAlertIsMissedWhereNotAllRulesAreKnown) {
  write("rules.yml", "groups: [{name: g, rules: [{alert: A, expr: up}, {alert: B, expr: 'up ='}]}]\n");
  EXPECT_EQ(notes(std::string(kTeam) + "route: {receiver: team, routes: [{matchers: [alertname=B]}]}\n"), "");
}

TEST_F(RoutingNotesTest, AReceiverThatNoRouteLeadsToIsNoted) {
  const std::string two =
      "receivers: [{name: team, webhook_configs: [{url: \"http://a\"}]}, "
      "{name: night, webhook_configs: [{url: \"http://b\"}]}]\n";
  const char* const unused = "weir.yml:3:72: receiver \"night\": no route leads to it, so nobody is told by it\n";
  EXPECT_THAT(notes(two + "route: {receiver: team}\n"), HasSubstr(unused));
  EXPECT_THAT(notes(two + "route: {receiver: team, routes: [{routes: [{receiver: night}]}]}\n"),
              Not(HasSubstr("no route leads")));
  EXPECT_THAT(notes(two + "route: {receiver: team, routes: [{receiver: nigth}]}\n"), Not(HasSubstr("no route leads")))
      << "it is the one that is misspelt";
}

TEST_F(RoutingNotesTest, SlipsInSeveritiesAndLabelsAreNoted) {
  const std::string found = notes(std::string(kTeam) + R"(route:
  receiver: team
  group_by: [cluser]
  routes:
    - matchers: [severity=criticl]
    - match: {severty: page}
inhibit_rules:
  - {source_matchers: [severity=crtical], target_matchers: [consumergrup=~"a.*"], equal: [topics]}
)");
  EXPECT_THAT(found, HasSubstr("rules.yml:5:9: rule \"Other\": severity \"warnin\" may be a slip (did you mean "
                               "\"warning\"?)\n"));
  EXPECT_THAT(found, HasSubstr("weir.yml:6:14: route: \"group_by\": label \"cluser\" may be a slip (did you mean "
                               "\"cluster\"?)\n"));
  EXPECT_THAT(found,
              HasSubstr("weir.yml:8:18: route: severity \"criticl\" may be a slip (did you mean \"critical\"?)\n"));
  EXPECT_THAT(found, HasSubstr("weir.yml:9:15: route: label \"severty\" may be a slip (did you mean \"severity\"?)\n"));
  EXPECT_THAT(found, HasSubstr("inhibit rule: severity \"crtical\" may be a slip"));
  EXPECT_THAT(found, HasSubstr("inhibit rule: label \"consumergrup\" may be a slip"));
  EXPECT_THAT(found, HasSubstr("inhibit rule: \"equal\": label \"topics\" may be a slip (did you mean \"topic\"?)\n"));
  EXPECT_EQ(std::ranges::count(found, '\n'), 7) << found;
}

TEST_F(RoutingNotesTest, NamesThatAreMerelyUnknownAreFree) {
  write("rules.yml", "groups: [{name: g, rules: [{alert: A, expr: up, labels: {teem: a, severity: paged}}]}]\n");
  EXPECT_EQ(notes("scrape: [{name: n, url: \"http://n:1/metrics\", labels: {topik: a}}]\n" + std::string(kTeam) +
                  R"(route:
  receiver: team
  group_by: ['...']
  routes:
    - matchers: [teem=a, topik=b, resource=c, region=eu, tier=gold]
    - matchers: [severity=sev2]
    - matchers: [severity=office, severity=~"criticl|x"]
)"),
            "");
}

}  // namespace
}  // namespace weir::app
