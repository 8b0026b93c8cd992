#include "kafka/settings.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "kafka/properties.h"

namespace weir::kafka {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

struct Parsed {
  ClusterSettings settings;
  config::Diagnostics diagnostics;
};

Parsed parse(const std::string& yaml) {
  Parsed parsed;
  const config::Node node = config::parse_yaml(yaml, "weir.yml", parsed.diagnostics);
  parsed.settings = parse_cluster(node, parsed.diagnostics);
  return parsed;
}

const char* const kMinimal = "name: prod\nbrokers: broker-1:9092\n";

TEST(ParseCluster, ReadsTheExampleOfTheArchitecturePage) {
  setenv("WEIR_TEST_KAFKA_PASSWORD", "hunter2", 1);
  const Parsed parsed = parse(R"(
name: prod
brokers: broker-1:9092,broker-2:9092
interval: 20s
properties: {security.protocol: SASL_SSL, sasl.mechanism: SCRAM-SHA-512, sasl.username: weir, sasl.password: "${WEIR_TEST_KAFKA_PASSWORD}"}
groups: {allow: [".*"], deny: ["^console-consumer-"], names: []}
topics: {allow: [".*"], deny: ["^__"], names: []}
dead_letter: {topics: ['.*[.-](dlt|dlq)$']}
)");
  EXPECT_TRUE(parsed.diagnostics.ok()) << parsed.diagnostics.to_string();
  const ClusterSettings& settings = parsed.settings;
  EXPECT_EQ(settings.name, "prod");
  EXPECT_EQ(settings.brokers, "broker-1:9092,broker-2:9092");
  EXPECT_EQ(settings.interval, std::chrono::seconds(20));
  ASSERT_EQ(settings.properties.size(), 4U);
  EXPECT_EQ(settings.properties[3].first, "sasl.password");
  EXPECT_EQ(settings.properties[3].second.reveal(), "hunter2");
  EXPECT_TRUE(settings.groups.filter.admits("billing"));
  EXPECT_FALSE(settings.groups.filter.admits("console-consumer-17"));
  EXPECT_TRUE(settings.topics.admits("orders"));
  EXPECT_FALSE(settings.topics.admits("__consumer_offsets"));
  EXPECT_TRUE(settings.dead_letter.match("user.clicks.dlt"));
  EXPECT_FALSE(settings.dead_letter.match("user.clicks.dlt.orders"));
}

TEST(ParseCluster, HidesInternalTopicsAndKnowsDeadLettersByDefault) {
  const Parsed parsed = parse(kMinimal);
  EXPECT_TRUE(parsed.diagnostics.ok()) << parsed.diagnostics.to_string();
  EXPECT_FALSE(parsed.settings.topics.admits("__transaction_state"));
  EXPECT_TRUE(parsed.settings.dead_letter.match("orders-dlq"));
  EXPECT_TRUE(parsed.settings.groups.filter.admits("anything"));
  EXPECT_EQ(parsed.settings.interval, std::chrono::seconds(15));
}

TEST(ParseCluster, FiltersMatchAnywhereInAName) {
  const Parsed parsed = parse(std::string(kMinimal) + "topics: {allow: [order], deny: [tmp]}\n");
  EXPECT_TRUE(parsed.settings.topics.admits("shop.orders"));
  EXPECT_FALSE(parsed.settings.topics.admits("shop.orders.tmp"));
  EXPECT_FALSE(parsed.settings.topics.admits("payments"));
}

TEST(ParseCluster, NamesTakeTheFiltersPlace) {
  const Parsed parsed = parse(std::string(kMinimal) + "topics: {deny: ['.*'], names: [payments, orders]}\n");
  EXPECT_THAT(parsed.settings.topics.names, ElementsAre("orders", "payments"));
  EXPECT_TRUE(parsed.settings.topics.admits("orders"));
  EXPECT_FALSE(parsed.settings.topics.admits("orders2"));
}

TEST(ParseCluster, NamedGroupsMayNameTheirTopics) {
  const Parsed parsed =
      parse(std::string(kMinimal) + "groups: {names: [shipping, {name: billing, topics: [orders]}]}\n");
  EXPECT_TRUE(parsed.diagnostics.ok()) << parsed.diagnostics.to_string();
  ASSERT_EQ(parsed.settings.groups.named.size(), 2U);
  EXPECT_EQ(parsed.settings.groups.named[0].name, "billing");
  EXPECT_THAT(parsed.settings.groups.named[0].topics, ElementsAre("orders"));
  EXPECT_TRUE(parsed.settings.groups.named[1].topics.empty());
  EXPECT_FALSE(parsed.settings.groups.filter.admits("other"));
}

TEST(ParseCluster, ReportsABadRegexAtItsPlace) {
  const Parsed parsed = parse("name: prod\nbrokers: b:1\ngroups:\n  deny:\n    - ok\n    - '(['\n");
  ASSERT_EQ(parsed.diagnostics.errors().size(), 1U);
  const std::string text = parsed.diagnostics.to_string();
  EXPECT_THAT(text, HasSubstr("weir.yml:6:7: "));
  EXPECT_THAT(text, HasSubstr("is no regular expression"));
}

TEST(ParseCluster, ReportsAnUnknownPropertyWithASuggestion) {
  const Parsed parsed = parse("name: prod\nbrokers: b:1\nproperties:\n  sasl.pasword: x\n");
  EXPECT_THAT(parsed.diagnostics.to_string(), HasSubstr("weir.yml:4:3: "));
  EXPECT_THAT(parsed.diagnostics.to_string(), HasSubstr("did you mean \"sasl.password\"?"));
}

TEST(ParseCluster, ReportsABadPropertyValueWithWhatIsPermitted) {
  EXPECT_THAT(
      parse("name: prod\nbrokers: b:1\nproperties: {security.protocol: SASL}\n").diagnostics.to_string(),
      HasSubstr("Invalid value \"SASL\" for configuration property \"security.protocol\" (permitted: plaintext, "
                "ssl, sasl_plaintext, sasl_ssl)\n"));
  EXPECT_THAT(parse("name: prod\nbrokers: b:1\nproperties: {socket.timeout.ms: soon}\n").diagnostics.to_string(),
              HasSubstr("(permitted: 10 .. 300000)\n"));
  EXPECT_THAT(parse("name: prod\nbrokers: b:1\nproperties: {socket.timeout.ms: 1}\n").diagnostics.to_string(),
              HasSubstr("value 1 is outside allowed range 10..300000\n"));
}

TEST(ParseCluster, AFileThatIsNotThereIsAMistakeWithItsNearestName) {
  const std::string folder = testing::TempDir() + "/weir_kafka_files_" + std::to_string(::getpid());
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/ca.pem") << "x";
  const auto said = [&](const std::string& value) {
    return parse(std::string(kMinimal) + "properties:\n  ssl.ca.location: " + value + "\n").diagnostics.to_string();
  };
  EXPECT_EQ(said(folder + "/ca.pem"), "");
  EXPECT_EQ(said("probe"), "");
  EXPECT_THAT(said(folder + "/ca.pen"),
              AllOf(HasSubstr("weir.yml:4:20: "), HasSubstr("\"ssl.ca.location\": there is no file \""),
                    HasSubstr("(did you mean \"ca.pem\"?)")));
  EXPECT_THAT(said("/nowhere/at/all.pem"), HasSubstr("there is no file \"/nowhere/at/all.pem\"\n"));
  std::filesystem::remove_all(folder);
}

TEST(ParseCluster, AMechanismThatLibrdkafkaWouldOnlyMissWhenItConnectsIsAMistake) {
  const auto said = [&](const std::string& value) {
    return parse(std::string(kMinimal) + "properties: {sasl.mechanism: " + value + "}\n").diagnostics.to_string();
  };
  EXPECT_THAT(said("SCRAM-SHA-521"), HasSubstr("is not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, GSSAPI, "
                                               "OAUTHBEARER (did you mean \"SCRAM-SHA-512\"?)"));
  EXPECT_EQ(said("SCRAM-SHA-256"), "");
}

TEST(ParseCluster, AuthoritiesMayBeADirectoryWithTheirHashes) {
  const std::string folder = testing::TempDir() + "/weir_kafka_authorities_" + std::to_string(::getpid());
  std::filesystem::create_directories(folder);
  const auto said = [&](const std::string& name) {
    return parse(std::string(kMinimal) + "properties: {" + name + ": " + folder + "}\n").diagnostics.to_string();
  };
  std::ofstream(folder + "/ca.pem") << "x";
  EXPECT_THAT(said("ssl.ca.location"), HasSubstr("is a directory without certificates by their hash"));
  std::ofstream(folder + "/5ed36f99.0") << "x";
  EXPECT_EQ(said("ssl.ca.location"), "");
  EXPECT_THAT(said("ssl.certificate.location"), HasSubstr("is a directory; name a file"));
  std::filesystem::remove_all(folder);
}

TEST(ParseCluster, FilesAreNamedFromTheFolderOfTheConfiguration) {
  const std::string folder = testing::TempDir() + "/weir_kafka_beside_" + std::to_string(::getpid());
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/ca.pem") << "x";
  std::ofstream(folder + "/secret") << "s3cr3t\n";
  config::Diagnostics diagnostics;
  const config::Node node =
      config::parse_yaml("{name: a, brokers: 'b:1', properties: {ssl.ca.location: ca.pem, sasl.password_file: secret}}",
                         folder + "/weir.yml", diagnostics);
  const ClusterSettings settings = parse_cluster(node, diagnostics);
  EXPECT_TRUE(diagnostics.ok()) << diagnostics.to_string();
  ASSERT_EQ(settings.properties.size(), 2U);
  EXPECT_EQ(settings.properties[0].second.reveal(), folder + "/ca.pem");
  EXPECT_EQ(settings.properties[1].second.reveal(), "s3cr3t");
  EXPECT_EQ(settings.property_files.at(0).path, folder + "/secret");
  std::filesystem::remove_all(folder);
}

TEST(ParseCluster, KnowsWhichPropertiesMayHoldASecret) {
  for (const char* name :
       {"sasl.password", "sasl.username", "ssl.key.password", "ssl.key.pem", "ssl_key", "sasl.oauthbearer.config",
        "sasl.oauthbearer.client.secret", "ssl.keystore.location", "sasl.jaas.config"}) {
    EXPECT_TRUE(may_be_secret(name)) << name;
  }
  for (const char* name : {"security.protocol", "sasl.mechanism", "socket.timeout.ms", "broker.address.family"}) {
    EXPECT_FALSE(may_be_secret(name)) << name;
  }
}

TEST(ParseCluster, RefusesPropertiesThatWouldChangeTheCluster) {
  const Parsed parsed = parse(std::string(kMinimal) + "properties: {group.id: a, allow.auto.create.topics: true}\n");
  EXPECT_EQ(parsed.diagnostics.errors().size(), 2U);
  EXPECT_THAT(parsed.diagnostics.to_string(), HasSubstr("Weir joins no group"));
}

TEST(ParseCluster, ReadsAPropertyFromAFile) {
  const std::string path = testing::TempDir() + "/weir_kafka_password";
  std::ofstream(path) << "s3cr3t\n";
  const Parsed parsed = parse(std::string(kMinimal) + "properties: {sasl.password_file: " + path + "}\n");
  EXPECT_TRUE(parsed.diagnostics.ok()) << parsed.diagnostics.to_string();
  ASSERT_EQ(parsed.settings.properties.size(), 1U);
  EXPECT_EQ(parsed.settings.properties[0].first, "sasl.password");
  EXPECT_EQ(parsed.settings.properties[0].second.reveal(), "s3cr3t");
}

TEST(ParseCluster, ReportsAFileThatCannotBeReadOnce) {
  const Parsed parsed = parse(std::string(kMinimal) + "properties: {sasl.password_file: /none}\n");
  EXPECT_THAT(parsed.diagnostics.to_string(),
              HasSubstr("\"sasl.password_file\": \"/none\" cannot be read: No such file"));
  EXPECT_EQ(parsed.diagnostics.errors().size(), 1U) << parsed.diagnostics.to_string();
}

TEST(ParseCluster, ReportsAllMistakesAtOnce) {
  const Parsed parsed = parse(
      "brokers: 'PLAINTEXT://b:9092,host:99999,::1,:1'\nintervall: 5s\ninterval: soon\n"
      "groups: {names: [a, a, '']}\n");
  const std::string text = parsed.diagnostics.to_string();
  EXPECT_THAT(text, HasSubstr("\"name\" is missing"));
  EXPECT_THAT(text, HasSubstr("without \"PLAINTEXT://\""));
  EXPECT_THAT(text, HasSubstr("\"host:99999\": the port"));
  EXPECT_THAT(text, HasSubstr("in brackets"));
  EXPECT_THAT(text, HasSubstr("the host is missing"));
  EXPECT_THAT(text, HasSubstr("unknown key \"intervall\" (did you mean \"interval\"?)"));
  EXPECT_THAT(text, HasSubstr("\"a\" is named twice"));
  EXPECT_THAT(text, HasSubstr("must not be empty"));
}

TEST(ParseCluster, ANumberIsNoBroker) {
  EXPECT_THAT(parse("name: prod\nbrokers: 17\n").diagnostics.to_string(),
              HasSubstr("weir.yml:2:10: kafka cluster \"prod\": \"brokers\": \"17\": \"17\" is no host name"));
  EXPECT_FALSE(parse("name: prod\nbrokers: 17:9092\n").diagnostics.ok());
  EXPECT_TRUE(parse("name: prod\nbrokers: 10.0.0.1:9092,kafka1,1a:9092\n").diagnostics.ok());
}

TEST(ParseCluster, MissingBrokersAreReported) {
  EXPECT_THAT(parse("name: prod\n").diagnostics.to_string(), HasSubstr("\"brokers\" is missing"));
  EXPECT_THAT(parse("name: prod\nbrokers: []\n").diagnostics.to_string(), HasSubstr("at least one host:port"));
  EXPECT_EQ(parse("name: prod\nbrokers: ''\n").diagnostics.errors().size(), 1U);
}

const char* const kOidc = R"(
name: prod
brokers: b:9092
properties:
  sasl.mechanism: OAUTHBEARER
  sasl.oauthbearer.method: oidc
  sasl.oauthbearer.token.endpoint.url: https://id/token
  sasl.oauthbearer.client.id: weir
)";

TEST(ParseCluster, OidcIsReadByLibrdkafkasNamesAndServedByWeir) {
  const Parsed parsed = parse(std::string(kOidc) + "  sasl.oauthbearer.client.secret: hunter2\n" +
                              "  sasl.oauthbearer.scope: kafka\n  sasl.oauthbearer.extensions: logicalCluster=a\n");
  EXPECT_TRUE(parsed.diagnostics.ok()) << parsed.diagnostics.to_string();
  ASSERT_TRUE(parsed.settings.token);
  EXPECT_EQ(parsed.settings.token->url, "https://id/token");
  EXPECT_EQ(parsed.settings.token->client_id, "weir");
  EXPECT_EQ(parsed.settings.token->client_secret.reveal(), "hunter2");
  EXPECT_EQ(parsed.settings.token->scope, "kafka");
  EXPECT_EQ(parsed.settings.token->extensions, "logicalCluster=a");
  EXPECT_EQ(parsed.settings.properties.size(), 1U);
  EXPECT_FALSE(parse(kMinimal).settings.token);
}

TEST(ParseCluster, OidcThatLacksSomethingIsReported) {
  EXPECT_THAT(parse(kOidc).diagnostics.to_string(), HasSubstr("oidc needs \"sasl.oauthbearer.client.secret\""));
}

TEST(ParseCluster, ReadsTheCapAndWhichGroupsReadCommitted) {
  const Parsed defaults = parse(kMinimal);
  EXPECT_EQ(defaults.settings.groups.max, 5000U);
  EXPECT_FALSE(defaults.settings.transactions);
  const Parsed parsed =
      parse(std::string(kMinimal) + "transactions: true\ngroups: {max: 10, read_committed: ['^payments']}\n");
  EXPECT_TRUE(parsed.diagnostics.ok()) << parsed.diagnostics.to_string();
  EXPECT_EQ(parsed.settings.groups.max, 10U);
  EXPECT_TRUE(parsed.settings.transactions);
  EXPECT_TRUE(parsed.settings.groups.read_committed.match("payments-1"));
  EXPECT_FALSE(parsed.settings.groups.read_committed.match("search"));
}

TEST(ParseCluster, ReadCommittedGroupsNeedLastStableOffsets) {
  const Parsed parsed = parse(std::string(kMinimal) + "groups: {read_committed: ['^payments'], max: 0}\n");
  EXPECT_THAT(parsed.diagnostics.to_string(), HasSubstr("\"read_committed\" needs \"transactions: true\""));
  EXPECT_THAT(parsed.diagnostics.to_string(), HasSubstr("\"max\""));
}

TEST(ParseCluster, SurvivesNodesOfTheWrongKind) {
  EXPECT_FALSE(parse("[1, 2]").diagnostics.ok());
  EXPECT_FALSE(parse("name: [a]\nbrokers: {a: b}\ngroups: 3\ntopics: [x]\nproperties: text\ndead_letter: [[x]]\n")
                   .diagnostics.ok());
}

}  // namespace
}  // namespace weir::kafka
