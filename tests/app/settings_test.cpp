#include "app/settings.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <span>
#include <unistd.h>

namespace weir::app {
namespace {

using testing::HasSubstr;

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir-settings-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~SettingsTest() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& text) {
    const std::filesystem::path file = folder_ / "weir.yml";
    std::ofstream(file) << text;
    return file.string();
  }
  std::string mistakes(const std::string& text) {
    const auto settings = load_settings(write(text));
    return settings ? "" : settings.error().to_string();
  }

  /// The notes, those beside mistakes too, without the folder.
  std::string hints(const std::string& text) {
    const auto settings = load_settings(write(text));
    std::string all;
    const std::span<const config::Diagnostic> found = settings ? settings->hints : settings.error().hints();
    for (const config::Diagnostic& hint : found) all += hint.to_string().substr(folder_.string().size() + 1) + "\n";
    return all;
  }
  /// Sections with which nothing is missing: an alert, and somebody who is told.
  std::string told() {
    std::ofstream(folder_ / "rules.yml") << "groups: [{name: a, rules: [{alert: A, expr: up}]}]\n";
    return "rules: {files: rules.yml}\nreceivers: [{name: a, webhook_configs: [{url: \"http://a\"}]}]\n"
           "route: {receiver: a}\n";
  }

  std::filesystem::path folder_;
};

TEST_F(SettingsTest, ReadsTheFifteenLinesOfTheReadme) {
  std::ofstream(folder_ / "checks.yml") << "checks for orders:\n  - row_count > 0\n";
  const auto settings = load_settings(write(R"(
kafka:
  - {name: prod, brokers: "broker-1:9092,broker-2:9092"}
sources:
  - {name: warehouse, type: sqlite, path: shop.db}
checks:
  - {source: warehouse, files: [checks.yml], interval: 1m}
receivers:
  - {name: team, webhook_configs: [{url: "http://127.0.0.1:5001/"}]}
route: {receiver: team}
)"));
  ASSERT_TRUE(settings) << settings.error().to_string();
  EXPECT_EQ(settings->clusters.at(0).name, "prod");
  EXPECT_EQ(settings->checks.at(0).source, "warehouse");
  EXPECT_EQ(settings->external_url, "http://127.0.0.1:9877");
  EXPECT_EQ(settings->storage.path, (folder_ / "weir.db").string());
}

TEST_F(SettingsTest, ItsOwnPageIsNotScraped) {
  EXPECT_THAT(mistakes("listen: 127.0.0.1:9900\nscrape: [{name: me, url: \"http://localhost:9900/metrics\"}]\n"),
              HasSubstr("weir.yml:2:9: configuration: \"scrape\": \"me\" is this Weir's own page"));
  EXPECT_EQ(mistakes("listen: 127.0.0.1:9900\nscrape: [{name: node, url: \"http://localhost:9100/metrics\"}]\n"), "");
}

TEST_F(SettingsTest, AFolderAmongTheCheckFilesIsAMistakeBesideTheOthers) {
  std::filesystem::create_directory(folder_ / "d.yml");
  const std::string found = mistakes(
      "sources: [{name: shop, type: sqlite, path: shop.db}]\nchecks: [{source: shop, files: [d.yml], bogus: 1}]\n");
  EXPECT_THAT(found, HasSubstr("d.yml: cannot be read: it is a directory, not a file"));
  EXPECT_THAT(found, HasSubstr("unknown key \"bogus\""));
}

TEST_F(SettingsTest, ShowsEveryMistakeWithItsPlaceAtOnce) {
  const std::string found =
      mistakes("kafka:\n  - name: prod\n    broker: a:1\nroute: {receiver: nobody}\nlisten: nowhere\nrulez: {}\n");
  EXPECT_THAT(found, HasSubstr("weir.yml:3:5: "));
  EXPECT_THAT(found, HasSubstr("(did you mean \"brokers\"?)"));
  EXPECT_THAT(found, HasSubstr("weir.yml:5:9: "));
  EXPECT_THAT(found, HasSubstr("unknown key \"rulez\" (did you mean \"rules\"?)"));
  EXPECT_THAT(found, HasSubstr("nobody"));
}

TEST_F(SettingsTest, RefusesAnAddressThatOthersReachUnlessToldTo) {
  const std::string kafka = "kafka: [{name: p, brokers: \"b:1\"}]\n";
  EXPECT_THAT(mistakes(kafka + "listen: 0.0.0.0:9877\n"), HasSubstr("allow_remote: true"));
  EXPECT_EQ(mistakes(kafka + "listen: 0.0.0.0:9877\nallow_remote: true\n"), "");
}

TEST_F(SettingsTest, AFileThatWatchesNothingIsAMistake) {
  EXPECT_THAT(mistakes("listen: 127.0.0.1:1\n"), HasSubstr("nothing to watch"));
}

TEST_F(SettingsTest, WhatARegistryIsComparedWithMustBeThere) {
  const std::string found = mistakes(R"(
kafka: [{name: prod, brokers: "b:1"}]
sources: [{name: warehouse, type: sqlite, path: shop.db}]
schema_registries:
  - name: main
    url: http://registry:8081
    cluster: prodd
    drift:
      topics: [orders]
      tables: [{subject: a, source: warehous, table: t}]
)");
  EXPECT_THAT(found, HasSubstr("there is no Kafka cluster \"prodd\" under \"kafka\" (did you mean \"prod\"?)"));
  EXPECT_THAT(found, HasSubstr("weir.yml:10:16: "));
  EXPECT_THAT(found, HasSubstr("there is no source \"warehous\" under \"sources\" (did you mean \"warehouse\"?)"));
}

TEST_F(SettingsTest, ARegistrysClusterIsOneOfThoseThatAreConfigured) {
  const std::string registry = "schema_registries: [{name: main, url: \"http://r:8081\", cluster: prd}]\n";
  EXPECT_THAT(
      mistakes("kafka: [{name: prod, brokers: \"b:1\"}]\n" + registry),
      HasSubstr("weir.yml:2:65: schema registry: \"cluster\": there is no Kafka cluster \"prd\" under \"kafka\" "
                "(did you mean \"prod\"?)"));
  const auto alone = load_settings(write(registry));
  ASSERT_TRUE(alone) << alone.error().to_string();
  EXPECT_THAT(alone->hints.at(0).message, HasSubstr("there is no Kafka cluster \"prd\""));
}

TEST_F(SettingsTest, NodesOfPipelinesAreHintedAtWhereNothingHasTheirPlace) {
  const auto settings = load_settings(write(R"(
kafka: [{name: prod, brokers: "b:1"}]
sources: [{name: warehouse, type: sqlite, path: shop.db}]
openlineage: {receive: true, namespaces: {"postgres://lake": lake, "s3://x": warehuse}}
pipelines:
  - name: orders
    flow: [topic:prod/orders, [group:prd/billing, "topic:*/x"], table:warehouse/orders, table:lake/t, dashboard:d]
    nodes: [table:warehous/x, subject:main/s]
    edges: [{from: topic:prod/orders, to: topic:prodd/dlt}]
catalogs: [{type: datahub, url: "http://d", platforms: {prodd: kafka, elsewhere: s3}}]
)"));
  ASSERT_TRUE(settings) << settings.error().to_string();
  std::string hints;
  for (const config::Diagnostic& hint : settings->hints) hints += hint.to_string() + "\n";
  EXPECT_THAT(hints,
              HasSubstr("weir.yml:7:32: pipeline \"orders\": group:prd/billing: there is no Kafka cluster \"prd\" "
                        "under \"kafka\" (did you mean \"prod\"?)\n"));
  EXPECT_THAT(hints, HasSubstr("weir.yml:8:13: pipeline \"orders\": table:warehous/x: there is no source"));
  EXPECT_THAT(hints, HasSubstr("subject:main/s: there is no schema registry \"main\""));
  EXPECT_THAT(hints, HasSubstr("weir.yml:9:43: pipeline \"orders\": topic:prodd/dlt: there is no Kafka cluster"));
  EXPECT_THAT(hints, HasSubstr("catalog, platforms: no cluster or source is named \"prodd\" (did you mean \"prod\"?)"));
  EXPECT_THAT(hints, HasSubstr("namespaces: no cluster or source is named \"warehuse\" (did you mean \"warehouse\"?)"));
  EXPECT_EQ(std::ranges::count(hints, '\n'), 8) << hints << "with the two of nobody being told and no rules";
}

TEST_F(SettingsTest, AKindThatIsNearlyAKnownOneIsHintedAtAndOthersAreFree) {
  EXPECT_EQ(hints(R"(
kafka: [{name: prod, brokers: "b:1"}]
pipelines:
  - name: orders
    flow: [topics:prod/orders, grup:prod/loader, consumergroup:prod/x, consumer_group:prod/y, tabel:shop/orders]
    nodes: [dashboard:revenue, object:bucket/key, report:monthly, view:shop/v, job:airflow/load, "connection:airbyte/c"]
)" + told()),
            "weir.yml:5:12: pipeline \"orders\": topics:prod/orders: nothing tells of a kind \"topics\" (did you mean "
            "\"topic\"?)\n"
            "weir.yml:5:32: pipeline \"orders\": grup:prod/loader: nothing tells of a kind \"grup\" (did you mean "
            "\"group\"?)\n"
            "weir.yml:5:95: pipeline \"orders\": tabel:shop/orders: nothing tells of a kind \"tabel\" (did you mean "
            "\"table\"?)\n");
}

TEST_F(SettingsTest, SchemaFilesThatAreNotThereAreHintedAt) {
  const auto settings = load_settings(write(R"(
schema_registries:
  - name: main
    url: http://registry:8081
    contracts: ["*.avsc"]
    candidates: [{subject: a, file: gone.avsc}]
)"));
  ASSERT_TRUE(settings) << settings.error().to_string();
  EXPECT_THAT(settings->hints.at(0).to_string(), HasSubstr("weir.yml:6:18: schema registry"));
  EXPECT_THAT(settings->hints.at(0).to_string(), HasSubstr("there is no file \""));
  EXPECT_THAT(settings->hints.at(1).to_string(), HasSubstr("weir.yml:5:17: "));
  EXPECT_THAT(settings->hints.at(1).to_string(), HasSubstr("\"contracts\": no file matches \""));
}

TEST_F(SettingsTest, TheFolderOfTheDatabaseMustBeThere) {
  const std::string kafka = "kafka: [{name: p, brokers: \"b:1\"}]\n";
  EXPECT_THAT(
      mistakes(kafka + "storage: {path: none/weir.db}\n"),
      HasSubstr("weir.yml:2:17: storage: \"path\": there is no folder \"" + (folder_ / "none").string() + "\""));
  EXPECT_THAT(mistakes(kafka + "storage: {path: /none/weir.db}\n"), HasSubstr("there is no folder \"/none\""));
  std::filesystem::create_directory(folder_ / "data");
  EXPECT_THAT(mistakes(kafka + "storage: {path: data}\n"), HasSubstr("is a folder; name a file in it"));
  EXPECT_EQ(mistakes(kafka + "storage: {path: data/weir.db}\n"), "");
  EXPECT_THAT(mistakes(kafka + "storage: {path: /dev/null}\n"), HasSubstr("\"/dev/null\" is no file"));
  EXPECT_EQ(mistakes(kafka + "storage: {path: \":memory:\"}\n"), "");
}

TEST_F(SettingsTest, TheExternalUrlMustBeOne) {
  const std::string kafka = "kafka: [{name: p, brokers: \"b:1\"}]\n";
  for (const char* url : {"5", "weir.internal", "ftp://weir.internal", "\"http://\"", "\"\""}) {
    EXPECT_THAT(mistakes(kafka + "external_url: " + url + "\n"),
                HasSubstr("weir.yml:2:15: configuration: \"external_url\": "))
        << url;
  }
  EXPECT_EQ(mistakes(kafka + "external_url: http://weir.internal:8080/sub/\n"), "");
}

TEST_F(SettingsTest, HintsAtWhatIsHardlyMeant) {
  std::ofstream(folder_ / "none.yml") << "groups: []\n";
  std::ofstream(folder_ / "some.yml") << "groups: [{name: a, rules: [{alert: A, expr: up}]}]\n";
  const std::string kafka = "kafka: [{name: p, brokers: \"b:1\"}]\n";
  EXPECT_EQ(hints(kafka), "weir.yml: nobody will be told: no receivers\nweir.yml: no alert will ever fire: no rules\n");
  const std::string receiver = "receivers: [{name: a, webhook_configs: [{url: \"http://a\"}]}]\nroute: {receiver: a}\n";
  EXPECT_EQ(hints(kafka + receiver + "rules: {files: [some.yml, none.yml]}\n"), "none.yml: holds 0 rules\n");
  EXPECT_EQ(hints(kafka + receiver + "rules: {files: some.yml}\n"), "");
}

TEST_F(SettingsTest, NotesAreGivenBesideMistakes) {
  std::ofstream(folder_ / "none.yml") << "groups: []\n";
  EXPECT_EQ(hints("kafka: [{name: p, brokers: \"b:1\"}]\nrules: {files: none.yml}\nlog_level: inf\n"
                  "pipelines: [{name: x, flow: [topic:prd/a]}]\n"),
            "none.yml: holds 0 rules\n"
            "weir.yml:4:30: pipeline \"x\": topic:prd/a: there is no Kafka cluster \"prd\" under \"kafka\"\n"
            "weir.yml: nobody will be told: no receivers\n");
}

TEST_F(SettingsTest, WhatAMistakeMayHoldIsNotMissedInNotes) {
  std::ofstream(folder_ / "wrong.yml") << "groups: [{name: a, rules: [{alert: A, expr: 'up ='}]}]\n";
  EXPECT_EQ(hints("kafak: [{name: p, brokers: \"b:1\"}]\nrules: {files: wrong.yml}\nreceiver: []\n"
                  "pipelines: [{name: x, flow: [topic:p/a]}]\n"),
            "");
}

TEST_F(SettingsTest, WhatFollowsFromAMistakeIsNotReported) {
  std::ofstream(folder_ / "checks.yml") << "checks for orders:\n  - row_count > 0\n";
  const std::string found =
      mistakes("sources: [{nam: w, type: sqlite, path: x}]\nchecks: [{source: w, files: checks.yml}]\nkafka: [5]\n");
  EXPECT_THAT(found, HasSubstr("unknown key \"nam\""));
  EXPECT_THAT(found, HasSubstr("weir.yml:3:9: kafka cluster: expected a mapping"));
  EXPECT_EQ(std::ranges::count(found, '\n'), 2) << found;
}

TEST_F(SettingsTest, TwoThingsOfOneNameAreAMistake) {
  EXPECT_THAT(mistakes("kafka:\n  - {name: p, brokers: \"b:1\"}\n  - {name: p, brokers: \"c:1\"}\n"),
              HasSubstr("given twice"));
}

TEST_F(SettingsTest, ACheckFileThatChangedIsAChangeOfItsSection) {
  constexpr const char* kText = R"(
sources: [{name: shop, type: sqlite, path: shop.db}]
checks: [{source: shop, files: [checks.yml]}]
)";
  std::ofstream(folder_ / "checks.yml") << "checks for orders:\n  - row_count > 0\n";
  const auto before = load_settings(write(kText));
  ASSERT_TRUE(before) << before.error().to_string();
  EXPECT_EQ(fixed_changes(*before, *load_settings(write(kText))), "");
  std::ofstream(folder_ / "checks.yml") << "checks for orders:\n  - row_count > 1\n";
  EXPECT_EQ(fixed_changes(*before, *load_settings(write(kText))), "checks");
  EXPECT_EQ(fixed_changes(*before, *load_settings(write(std::string(kText) + "series: {retention: 1h}\n"))),
            "checks, series");
}

TEST_F(SettingsTest, APartIsReadThoughVariablesOfOthersAreNotSet) {
  ::unsetenv("WEIR_TEST_NOT_SET");
  const std::string file = write(R"(
listen: 127.0.0.1:9999
kafka: [{name: prod, brokers: "b:1", properties: {sasl.password: "${WEIR_TEST_NOT_SET}"}}]
storage: {url: "${WEIR_TEST_NOT_SET}"}
rules: {files: [rules.yml]}
receivers: [{name: team, webhook_configs: [{url: "http://hook/"}]}]
route: {receiver: team}
)");
  std::ofstream(folder_ / "rules.yml") << "groups: [{name: g, rules: [{alert: A, expr: up}]}]";
  ASSERT_FALSE(load_settings(file));
  for (const Part part : {Part::listen, Part::rules, Part::receivers}) {
    const auto settings = load_part(file, part);
    ASSERT_TRUE(settings) << settings.error().to_string();
    EXPECT_EQ(settings->listen, "127.0.0.1:9999");
    EXPECT_EQ(settings->rule_groups.size(), part == Part::rules ? 1U : 0U);
    EXPECT_EQ(settings->routing.find("team") != nullptr, part == Part::receivers);
  }
  EXPECT_THAT(load_part(write("{listen: \"${WEIR_TEST_NOT_SET}\"}"), Part::listen).error().to_string(),
              HasSubstr("\"WEIR_TEST_NOT_SET\" is not set"));
  EXPECT_FALSE(load_part(write("{receivers: [{name: t}], route: {receiver: other}}"), Part::receivers));
}

TEST_F(SettingsTest, AFileThatIsNotThereSaysSo) {
  const auto settings = load_settings((folder_ / "none.yml").string());
  ASSERT_FALSE(settings);
  EXPECT_THAT(settings.error().to_string(), HasSubstr("cannot be read"));
}

TEST_F(SettingsTest, ACatalogThatIsToldEventsNeedsItsServiceAndANameOfItsOwn) {
  const std::string start = "{openlineage: {receive: true}, catalogs: [";
  const std::string entry = "type: datahub, url: \"http://d\", platforms: {w: postgres}, emit: {url: \"http://gms/\"}}";
  EXPECT_EQ(mistakes(start + "{" + entry + "]}"), "");
  EXPECT_THAT(mistakes(start + "{" + entry + ", {" + entry + "]}"), HasSubstr("need a name each"));
  EXPECT_EQ(mistakes(start + "{" + entry + ", {name: other, " + entry + "]}"), "");
  EXPECT_THAT(
      mistakes(start + "{type: openmetadata, url: \"http://d\", platforms: {w: pg}, emit: {url: \"http://o\"}}]}"),
      HasSubstr("is for catalogs of type datahub"));
  EXPECT_THAT(mistakes(start + "{type: datahub, url: \"http://d\", platforms: {w: pg}, emit: {url: gms, every: 1s}}]}"),
              AllOf(HasSubstr("of the metadata service, not of the page"), HasSubstr("at least 1m")));
}

TEST_F(SettingsTest, ReadsLineageAndItsMistakes) {
  const auto settings = load_settings(write(R"(
kafka: [{name: prod, brokers: "b1:9092,b2:9092"}]
pipelines: [{name: a, flow: [topic:prod/orders, dashboard:x]}]
lineage: {max_nodes: 50}
catalogs: [{type: datahub, url: "https://dh", platforms: {prod: kafka}}]
openlineage: {receive: true, namespaces: {"kafka://b2:9092": other}}
)"));
  ASSERT_TRUE(settings) << settings.error().to_string();
  EXPECT_EQ(settings->lineage.pipelines.size(), 1U);
  EXPECT_EQ(settings->lineage.limits.nodes, 50U);
  EXPECT_EQ(settings->lineage.catalogs.size(), 1U);
  ASSERT_TRUE(settings->lineage.openlineage);
  EXPECT_EQ(settings->lineage.openlineage->namespaces.at("kafka://b1:9092"), "prod");
  EXPECT_EQ(settings->lineage.openlineage->namespaces.at("kafka://b2:9092"), "other") << "what is given counts";
  EXPECT_EQ(mistakes("openlineage: {receive: true}"), "") << "enough to watch";
  EXPECT_THAT(mistakes("openlineage: {emit: {url: \"http://m/api\"}}"), HasSubstr("nothing to watch"));
  EXPECT_THAT(mistakes("{listen: \"0.0.0.0:1\", allow_remote: true, openlineage: {receive: true}}"),
              HasSubstr("anyone could send events: give token or token_file"));
  EXPECT_THAT(mistakes("pipelines: [{name: a, flow: [orders]}]"),
              HasSubstr("weir.yml:1:30: pipeline \"a\": \"orders\" is no node"));
}

}  // namespace
}  // namespace weir::app
