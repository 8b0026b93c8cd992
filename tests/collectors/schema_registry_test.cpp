#include "collectors/schema_registry.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "collectors/registry_fixture.h"
#include "config/node.h"
#include "core/time.h"

namespace weir::collectors {
namespace {

using namespace std::chrono_literals;
using core::ErrorKind;
using nlohmann::json;

TEST_F(SchemaRegistryTest, ShowsSubjectsVersionsAndLevels) {
  registry_.subjects = {{"a", {{1, "5"}, {3, "4"}}}, {"b", {{1, "1"}}}};
  registry_.levels = {{"b", "FULL"}};
  const core::Batch batch = seen();
  EXPECT_EQ(value(batch, R"(schema_registry_subjects{registry="main"})"), 2);
  EXPECT_EQ(value(batch, R"(schema_registry_subject_versions{registry="main",subject="a"})"), 2);
  EXPECT_EQ(value(batch, R"(schema_registry_subject_latest_version{registry="main",subject="a"})"), 3);
  EXPECT_EQ(
      value(batch, R"(schema_registry_subject_compatibility_level{level="BACKWARD",registry="main",subject="a"})"), 1);
  EXPECT_EQ(value(batch, R"(schema_registry_subject_compatibility_level{level="FULL",registry="main",subject="b"})"),
            1);
  EXPECT_EQ(compatible(batch), 1);
  for (const core::Sample& sample : batch.samples) EXPECT_EQ(sample.time, now_);
}

TEST_F(SchemaRegistryTest, EverythingEmittedIsDescribed) {
  registry_.subjects = {{"a", {{1, "5"}, {2, "4"}}}};
  candidate("a", "3");
  for (const core::Sample& sample : seen().samples) {
    EXPECT_TRUE(std::ranges::any_of(collector().metrics(), [&](const core::MetricInfo& info) {
      return info.name == sample.labels.name();
    })) << sample.labels.to_string();
  }
}

TEST_F(SchemaRegistryTest, AnEmptyRegistryIsASuccess) {
  const core::Batch batch = seen();
  EXPECT_EQ(value(batch, R"(schema_registry_subjects{registry="main"})"), 0);
  EXPECT_EQ(value(batch, R"(schema_registry_subjects_soft_deleted{registry="main"})"), 0);
  EXPECT_EQ(value(batch, R"(schema_registry_findings{finding="level_none",registry="main"})"), 0);
}

TEST_F(SchemaRegistryTest, ASingleVersionIsNeitherCompatibleNorNot) {
  registry_.subjects = {{"a", {{1, "5"}}}};
  const core::Batch batch = seen();
  EXPECT_EQ(compatible(batch), std::nullopt);
  EXPECT_EQ(checks(batch, "incompatible"), 0);
}

TEST_F(SchemaRegistryTest, ANewVersionIsCheckedOnceAgainstItsPredecessor) {
  registry_.subjects = {{"a", {{1, "5"}}}};
  EXPECT_TRUE(seen().events.empty());
  registry_.subjects["a"][2] = "7";
  const core::Batch batch = seen();
  EXPECT_EQ(events(batch), (std::vector<std::string>{
                               "schema_version_registered: Version 2 of a was registered.",
                               "schema_incompatible: Version 2 of a is incompatible with version 1 under BACKWARD: "
                               "READER_FIELD_MISSING_DEFAULT_VALUE: n; {oldSchema: …}"}));
  EXPECT_EQ(batch.events[1].labels, (core::Labels{{"registry", "main"}, {"subject", "a"}}));
  EXPECT_EQ(compatible(batch), 0);
  EXPECT_EQ(checks(batch, "incompatible"), 1);
  EXPECT_EQ(registry_.count("POST /compatibility/subjects/a/versions/1?verbose=true"), 1U);
  const core::Batch next = seen();
  EXPECT_EQ(registry_.count("POST"), 0U);
  EXPECT_EQ(compatible(next), 0);
  EXPECT_EQ(checks(next, "incompatible"), 1);
  EXPECT_TRUE(next.events.empty());
}

TEST_F(SchemaRegistryTest, ANewSubjectIsNewsButTheFirstCycleIsNot) {
  registry_.subjects = {{"a", {{1, "5"}}}};
  EXPECT_TRUE(seen().events.empty());
  registry_.subjects["b"] = {{1, "5"}};
  EXPECT_EQ(events(seen()), (std::vector<std::string>{"schema_version_registered: Version 1 of b was registered."}));
  EXPECT_TRUE(seen().events.empty());
}

TEST_F(SchemaRegistryTest, ANewLevelIsANewQuestion) {
  registry_.subjects = {{"a", {{1, "5"}, {2, "7"}}}};
  registry_.levels = {{"a", "NONE"}};
  EXPECT_EQ(compatible(seen()), 1);
  registry_.levels = {{"a", "BACKWARD"}};
  const core::Batch batch = seen();
  EXPECT_EQ(compatible(batch), 0);
  EXPECT_EQ(checks(batch, "compatible"), 1);
  EXPECT_EQ(checks(batch, "incompatible"), 1);
  registry_.levels.clear();
  registry_.global = "NONE";
  EXPECT_EQ(compatible(seen()), 1);
}

TEST_F(SchemaRegistryTest, TheQuestionNamesTheTypeAndTheReferences) {
  registry_.subjects = {{"a", {{1, "5"}, {2, "4"}}}};
  registry_.schema_type = "PROTOBUF";
  registry_.subjects["money"] = {{2, "1"}};
  registry_.references["a/2"] = {{{"name", "Money"}, {"subject", "money"}, {"version", 2}}};
  settings_.endpoint.basic_auth.emplace("weir", core::Secret("pw"));
  seen();
  EXPECT_EQ(
      json::parse(registry_.last_question),
      json::parse(
          R"({"schema":"4","schemaType":"PROTOBUF","references":[{"name":"Money","subject":"money","version":2}]})"));
  EXPECT_EQ(registry_.last.basic_auth->first, "weir");
  EXPECT_LE(registry_.last.timeout, 10s);
}

TEST_F(SchemaRegistryTest, ADeletedSubjectDisappears) {
  registry_.subjects = {{"a", {{1, "5"}, {2, "7"}}}, {"b", {{1, "1"}}}};
  EXPECT_EQ(compatible(seen()), 0);
  registry_.subjects.erase("a");
  const core::Batch batch = seen();
  EXPECT_TRUE(std::ranges::none_of(batch.samples,
                                   [](const core::Sample& sample) { return sample.labels.get("subject") == "a"; }));
}

TEST_F(SchemaRegistryTest, ASubjectDeletedSinceTheListWasMadeIsNoFault) {
  registry_.subjects = {{"a", {{1, "5"}}}, {"b", {{1, "1"}}}};
  registry_.answers = {{"GET /subjects/a/versions",
                        FakeRegistry::reply(404, R"({"error_code":40401,"message":"Subject 'a' not found."})")}};
  const core::Batch batch = seen();
  EXPECT_EQ(value(batch, R"(schema_registry_subject_versions{registry="main",subject="b"})"), 1);
  EXPECT_EQ(value(batch, R"(schema_registry_subject_versions{registry="main",subject="a"})"), std::nullopt);
}

TEST_F(SchemaRegistryTest, DeletingTheIncompatibleVersionHeals) {
  registry_.subjects = {{"a", {{1, "5"}, {2, "4"}, {3, "7"}}}};
  EXPECT_EQ(compatible(seen()), 0);
  registry_.subjects["a"].erase(3);
  const core::Batch batch = seen();
  EXPECT_EQ(compatible(batch), 1);
  EXPECT_EQ(events(batch), (std::vector<std::string>{"schema_version_deleted: Version 3 of a was deleted."}));
}

TEST_F(SchemaRegistryTest, TheSubjectFilterIsAppliedBeforeAnythingIsAsked) {
  registry_.subjects = {{"a", {{1, "5"}}}, {"secret-value", {{1, "1"}}}};
  ASSERT_TRUE(settings_.subjects.deny.add("^secret"));
  const core::Batch batch = seen();
  EXPECT_EQ(value(batch, R"(schema_registry_subjects{registry="main"})"), 1);
  EXPECT_TRUE(
      std::ranges::none_of(registry_.requests, [](const std::string& key) { return key.find("secret") != key.npos; }));
}

TEST_F(SchemaRegistryTest, SubjectsOfAnyNameAreAskedForSafely) {
  const std::string name = "x/y ?z%q#é";
  registry_.subjects = {{name, {{1, "5"}, {2, "7"}}}};
  const core::Batch batch = seen();
  EXPECT_EQ(compatible(batch, name), 0);
  EXPECT_EQ(registry_.count("GET /subjects/x%2Fy%20%3Fz%25q%23%C3%A9/versions"), 4U);
}

TEST_F(SchemaRegistryTest, ApicurioSaysNoneWhereTheGlobalLevelApplies) {
  registry_.base = settings_.endpoint.url = "http://registry:8080/apis/ccompat/v7";
  registry_.apicurio = true;
  registry_.subjects = {{"a", {{1, "5"}, {2, "7"}}}};
  const core::Batch batch = seen();
  EXPECT_EQ(
      value(batch, R"(schema_registry_subject_compatibility_level{level="BACKWARD",registry="main",subject="a"})"), 1);
  EXPECT_EQ(compatible(batch), 0);
  ASSERT_EQ(batch.events.size(), 1U);
  EXPECT_TRUE(batch.events[0].message.ends_with("under BACKWARD: n at /fields/1"));
}

TEST_F(SchemaRegistryTest, ElsewhereNoneIsMeant) {
  registry_.subjects = {{"a", {{1, "5"}, {2, "7"}}}};
  registry_.levels = {{"a", "NONE"}};
  EXPECT_EQ(value(seen(), R"(schema_registry_subject_compatibility_level{level="NONE",registry="main",subject="a"})"),
            1);
}

TEST_F(SchemaRegistryTest, AnUnreachableRegistryIsAnErrorNotAnEmptyOne) {
  registry_.down = true;
  const auto batch = collect();
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(batch.error().describe(), "GET http://registry:8081/subjects: connection refused");
}

struct BadAnswer {
  int status;
  std::string body;
  ErrorKind kind;
  std::string words;
};

TEST_F(SchemaRegistryTest, ABadListOfSubjectsIsAClearError) {
  const std::vector<BadAnswer> cases{
      {200, "<html><body>Welcome</body></html>", ErrorKind::protocol, "a web page"},
      {200, R"(["a","b)", ErrorKind::protocol, "incomplete"},
      {200, "", ErrorKind::protocol, "incomplete"},
      {200, R"({"subjects":[]})", ErrorKind::protocol, "not a list of subjects"},
      {200, "[1,2]", ErrorKind::protocol, "not a list of subjects"},
      {200, std::string(100'000, '['), ErrorKind::protocol, "incomplete"},
      {500, R"({"error_code":50001,"message":"Error in the backend\ndata store"})", ErrorKind::unavailable,
       "HTTP 500: Error in the backend data store"},
      {502, "<html>Bad gateway</html>", ErrorKind::unavailable, "HTTP 502"},
      {429, "", ErrorKind::unavailable, "HTTP 429"},
      {401, R"({"error_code":401,"message":"Unauthorized"})", ErrorKind::denied, "check basic_auth"},
      {403, "", ErrorKind::denied, "HTTP 403"},
      {301, "", ErrorKind::protocol, "redirected"},
      {404, "", ErrorKind::not_found, "HTTP 404"},
      {400, "", ErrorKind::protocol, "HTTP 400"},
      {500, R"({"message":")" + std::string(100'000, 'x') + "\"}", ErrorKind::unavailable, "xxx…"}};
  for (const BadAnswer& bad : cases) {
    registry_.answers = {{"GET /subjects", FakeRegistry::reply(bad.status, bad.body)}};
    const auto batch = collect();
    ASSERT_FALSE(batch) << bad.body.substr(0, 100);
    EXPECT_EQ(batch.error().kind, bad.kind) << batch.error().describe();
    EXPECT_NE(batch.error().message.find(bad.words), std::string::npos) << batch.error().message;
    EXPECT_LT(batch.error().message.size(), 700U);
  }
}

TEST_F(SchemaRegistryTest, TroubleWithOneSubjectIsAFaultOfThatSubjectAlone) {
  registry_.subjects = {{"a", {{1, "5"}, {2, "7"}}}, {"b", {{1, "1"}}}};
  const std::vector<std::pair<std::string, std::string>> cases{
      {"GET /subjects/a/versions", "<html>"},
      {"GET /subjects/a/versions", "[0]"},
      {"GET /subjects/a/versions", "[1.5]"},
      {"GET /subjects/a/versions", "[99999999999]"},
      {"GET /config/a?defaultToGlobal=true", "[]"},
      {"GET /subjects/a/versions/2", R"({"schema":5})"},
      {"GET /subjects/a/versions/2", R"({"schema":"5","references":[5]})"},
      {"POST /compatibility/subjects/a/versions/1?verbose=true", "{}"},
      {"POST /compatibility/subjects/a/versions/1?verbose=true", R"({"is_compatible":"yes"})"}};
  for (const auto& [key, body] : cases) {
    collector_.reset();
    registry_.answers = {{key, FakeRegistry::reply(200, body)}};
    const auto batch = collect();
    ASSERT_TRUE(batch);
    ASSERT_EQ(batch->faults.size(), 1U) << key << body;
    EXPECT_EQ(batch->faults[0].scope, (core::Labels{{"registry", "main"}, {"subject", "a"}}));
    EXPECT_EQ(batch->faults[0].error.kind, ErrorKind::protocol);
    EXPECT_EQ(compatible(*batch), std::nullopt);
    EXPECT_EQ(value(*batch, R"(schema_registry_subject_versions{registry="main",subject="b"})"), 1);
  }
}

TEST_F(SchemaRegistryTest, AVersionThatVanishesDuringTheCheckDoesNotDeleteTheSubject) {
  registry_.subjects = {{"a", {{1, "5"}, {2, "7"}}}};
  registry_.answers = {
      {"POST /compatibility/subjects/a/versions/1?verbose=true", FakeRegistry::reply(404, R"({"error_code":40402})")}};
  const auto batch = collect();
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->faults.size(), 1U);
  EXPECT_EQ(batch->faults[0].scope.get("subject"), "a");
}

TEST_F(SchemaRegistryTest, AFailedCheckIsAskedAgain) {
  registry_.subjects = {{"a", {{1, "5"}, {2, "7"}}}};
  registry_.answers = {{"POST /compatibility/subjects/a/versions/1?verbose=true", FakeRegistry::reply(500, "")}};
  EXPECT_EQ(collect()->faults.size(), 1U);
  registry_.answers.clear();
  const core::Batch batch = seen();
  EXPECT_EQ(compatible(batch), 0);
  EXPECT_EQ(batch.events.size(), 1U);
}

TEST_F(SchemaRegistryTest, WithoutTheGlobalLevelEverythingKeepsItsState) {
  registry_.subjects = {{"a", {{1, "5"}, {2, "7"}}}};
  registry_.answers = {{"GET /config", FakeRegistry::reply(403, "")}};
  const auto batch = collect();
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->faults.size(), 1U);
  EXPECT_EQ(batch->faults[0].scope, (core::Labels{{"registry", "main"}}));
  EXPECT_EQ(compatible(*batch), std::nullopt);
  EXPECT_EQ(value(*batch, R"(schema_registry_subject_latest_version{registry="main",subject="a"})"), 2);
}

TEST_F(SchemaRegistryTest, ARegistryThatStopsAnsweringIsLeftAlone) {
  for (int i = 0; i < 50; ++i) registry_.subjects[fmt::format("s{:02}", i)] = {{1, "1"}};
  seen();
  for (int i = 0; i < 50; ++i) {
    registry_.answers.emplace(fmt::format("GET /subjects/s{:02}/versions", i),
                              core::fail(ErrorKind::timeout, "no complete answer within 10s"));
  }
  const auto batch = collect();
  ASSERT_TRUE(batch);
  EXPECT_LE(registry_.count("GET /subjects/"), 4 * settings_.parallel) << "what is asked for at once";
  EXPECT_EQ(batch->faults.back().scope, (core::Labels{{"registry", "main"}}));
  EXPECT_TRUE(batch->faults.back().error.retryable);
}

TEST_F(SchemaRegistryTest, OfALargeRegistryTheRestComesInTheNextCycle) {
  for (int i = 0; i < 2500; ++i) registry_.subjects[fmt::format("s{:05}", i)] = {{1, "1"}};
  settings_.most_requests = 2'000;
  const auto versions_shown = [](const core::Batch& batch) {
    return std::ranges::count_if(
        batch.samples, [](const core::Sample& s) { return s.labels.name() == "schema_registry_subject_versions"; });
  };
  const core::Batch first = seen();
  EXPECT_LE(registry_.requests.size(), settings_.most_requests);
  EXPECT_GT(versions_shown(first), 700);
  EXPECT_LT(versions_shown(first), 751);
  seen();
  seen();
  const core::Batch fourth = seen();
  EXPECT_EQ(versions_shown(fourth), 2500);
  EXPECT_EQ(value(fourth, R"(schema_registry_subjects{registry="main"})"), 2500);
  registry_.subjects["s00000"][2] = "9";  // its turn comes again
  for (int i = 0; i < 3; ++i) EXPECT_EQ(versions_shown(seen()), 2500);
  EXPECT_EQ(value(seen(), R"(schema_registry_subject_latest_version{registry="main",subject="s00000"})"), 2);
}

TEST_F(SchemaRegistryTest, SubjectsPastTheBoundAreNamedAsAFault) {
  json names = json::array();
  for (std::size_t i = 0; i <= SchemaRegistryCollector::kMostSubjects; ++i) names.push_back(fmt::format("s{:05}", i));
  registry_.answers = {{"GET /subjects", FakeRegistry::reply(200, names.dump())}};
  for (std::size_t i = 0; i <= SchemaRegistryCollector::kMostSubjects; ++i)
    registry_.subjects[fmt::format("s{:05}", i)] = {{1, "1"}};
  const auto batch = collect();
  ASSERT_TRUE(batch);
  ASSERT_FALSE(batch->faults.empty());
  EXPECT_EQ(batch->faults[0].error.kind, ErrorKind::limit);
  EXPECT_NE(batch->faults[0].error.message.find("10001 subjects"), std::string::npos);
}

TEST_F(SchemaRegistryTest, ACandidateIsCheckedAgainstTheNewestVersion) {
  registry_.subjects = {{"a", {{1, "9"}, {2, "5"}}}};
  candidate("a", "6");
  const core::Batch batch = seen();
  EXPECT_EQ(candidate_compatible(batch), 0);
  EXPECT_EQ(compatible(batch), 1);
  EXPECT_EQ(checks(batch, "incompatible"), 1);
  ASSERT_EQ(batch.events.size(), 1U);
  EXPECT_EQ(batch.events[0].kind, "schema_candidate_incompatible");
  EXPECT_NE(batch.events[0].message.find("is incompatible with version 2 of a under BACKWARD"), std::string::npos)
      << batch.events[0].message;
  EXPECT_EQ(registry_.count("POST /compatibility/subjects/a/versions/2"), 1U);
  seen();
  EXPECT_EQ(registry_.count("POST"), 0U);
}

TEST_F(SchemaRegistryTest, ACandidateIsCheckedAgainWhenTheFileTheVersionOrTheLevelChanges) {
  registry_.subjects = {{"a", {{1, "5"}}}};
  candidate("a", "6");
  EXPECT_EQ(candidate_compatible(seen()), 0);
  candidate("a", "4");
  EXPECT_EQ(candidate_compatible(seen()), 1);
  registry_.subjects["a"][2] = "3";
  EXPECT_EQ(candidate_compatible(seen()), 0);
  registry_.levels = {{"a", "NONE"}};
  EXPECT_EQ(candidate_compatible(seen()), 1);
}

TEST_F(SchemaRegistryTest, ACandidateThatIsNoSchemaWouldBeRefused) {
  registry_.subjects = {{"a", {{1, "5"}}}};
  candidate("a", "broken");
  const core::Batch batch = seen();
  EXPECT_EQ(candidate_compatible(batch), 0);
  EXPECT_NE(batch.events.at(0).message.find("Invalid schema"), std::string::npos);
}

TEST_F(SchemaRegistryTest, ACandidateForASubjectThatDoesNotExistIsSaidOnceAndNotCalledCompatible) {
  candidate("a", "5");
  const core::Batch batch = seen();
  EXPECT_EQ(candidate_compatible(batch), std::nullopt);
  EXPECT_EQ(batch.events.at(0).kind, "schema_candidate_unchecked");
  EXPECT_TRUE(seen().events.empty());
  registry_.subjects = {{"a", {{1, "5"}}}};
  EXPECT_EQ(candidate_compatible(seen()), 1);
  registry_.subjects.clear();
  const core::Batch gone = seen();
  EXPECT_TRUE(std::ranges::none_of(gone.samples, [](const core::Sample& sample) {
    return sample.labels.has("subject");
  })) << "nothing of a deleted subject is shown";
}

TEST_F(SchemaRegistryTest, ACandidateOfASubjectThatTheFilterLeavesOutIsCheckedAllTheSame) {
  registry_.subjects = {{"a", {{1, "5"}}}};
  ASSERT_TRUE(settings_.subjects.deny.add("."));
  candidate("a", "6");
  const core::Batch batch = seen();
  EXPECT_EQ(candidate_compatible(batch), 0);
  EXPECT_EQ(value(batch, R"(schema_registry_subject_versions{registry="main",subject="a"})"), std::nullopt);
}

TEST_F(SchemaRegistryTest, ACandidateFileThatCannotBeUsedIsAFaultOfTheCandidateAlone) {
  registry_.subjects = {{"a", {{1, "5"}}}};
  candidate("a", "4");
  EXPECT_EQ(candidate_compatible(seen()), 1);
  const std::string file = settings_.candidates[0].file;
  const auto fault = [&] {
    const auto batch = collect();
    EXPECT_EQ(candidate_compatible(*batch), std::nullopt);
    EXPECT_EQ(value(*batch, R"(schema_registry_subject_versions{registry="main",subject="a"})"), 1);
    EXPECT_EQ(batch->faults.size(), 1U);
    EXPECT_EQ(batch->faults[0].scope.name(), "schema_registry_candidate_compatible");
    EXPECT_EQ(batch->faults[0].error.where, file);
    return batch->faults[0].error.message;
  };
  std::ofstream(file).close();
  EXPECT_EQ(fault(), "the candidate is empty");
  std::ofstream(file) << std::string(2U << 20U, 'x');
  EXPECT_EQ(fault(), "the candidate is larger than 1 MiB");
  std::filesystem::remove(file);
  EXPECT_EQ(fault(), "the candidate cannot be read: No such file or directory");
  std::filesystem::create_directory(file);
  EXPECT_EQ(fault(), "the candidate cannot be read: it is a directory, not a file");
}

TEST_F(SchemaRegistryTest, AStopEndsTheCycleSoon) {
  for (int i = 0; i < 50; ++i) registry_.subjects[fmt::format("s{:02}", i)] = {{1, "1"}};
  std::stop_source stop;
  stop.request_stop();
  const auto batch =
      collector().collect({.now = now_, .deadline = std::chrono::steady_clock::now() + 10s, .stop = stop.get_token()});
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().kind, ErrorKind::cancelled);
}

TEST_F(SchemaRegistryTest, PastTheDeadlineNothingMoreIsAsked) {
  registry_.subjects = {{"a", {{1, "5"}}}};
  const auto batch = collector().collect({.now = now_, .deadline = std::chrono::steady_clock::now() - 1s, .stop = {}});
  ASSERT_TRUE(batch);
  EXPECT_EQ(registry_.count("GET /subjects/"), 0U);
}

class SchemaRegistrySettingsTest : public testing::Test {
 protected:
  SchemaRegistrySettings parse(const std::string& yaml) {
    node_ = config::parse_yaml(yaml, "/etc/weir/weir.yml", diagnostics_);
    return parse_schema_registry(node_, diagnostics_);
  }
  config::Node node_;
  config::Diagnostics diagnostics_;
};

TEST_F(SchemaRegistrySettingsTest, ReadsTheWholeSection) {
  const SchemaRegistrySettings settings = parse(R"(
name: main
url: https://registry:8081/apis/ccompat/v7/
interval: 10s
request_timeout: 2s
basic_auth: {username: weir, password: hunter2}
tls: {ca_file: /etc/hosts, cert_file: /etc/hosts, key_file: /etc/hosts}
subjects: {allow: ["^order"], deny: ["-key$"]}
candidates: [{subject: OrderPlaced-value, file: schemas/order.avsc}, {subject: b, file: /abs.avsc}]
cluster: prod
naming: topic_record_name
contracts:
  - schemas/*.avsc
  - {files: /abs/*.txt, subject: "{stem}", type: protobuf, references: [{name: m.proto, subject: m, version: 3}]}
drift:
  interval: 1m
  topics: ["^orders$"]
  messages: 50
  tables: [{subject: a, source: warehouse, table: orders, ignore: [_at]}]
)");
  EXPECT_TRUE(diagnostics_.ok()) << diagnostics_.to_string();
  EXPECT_EQ(settings.cluster, "prod");
  EXPECT_EQ(settings.naming, schemas::NamingStrategy::topic_record_name);
  ASSERT_EQ(settings.contracts.size(), 2U);
  EXPECT_EQ(settings.contracts[0].files, "/etc/weir/schemas/*.avsc");
  EXPECT_EQ(settings.contracts[1].format, schemas::Format::protobuf);
  EXPECT_EQ(settings.contracts[1].references.at(0).version, 3);
  EXPECT_EQ(settings.drift.interval, 1min);
  EXPECT_TRUE(settings.drift.topics.admits("orders"));
  EXPECT_FALSE(settings.drift.topics.admits("orders2"));
  EXPECT_EQ(settings.drift.messages, 50U);
  EXPECT_TRUE(settings.drift.tables.at(0).ignored.contains("_at"));
  EXPECT_EQ(settings.name, "main");
  EXPECT_EQ(settings.endpoint.url, "https://registry:8081/apis/ccompat/v7");
  EXPECT_EQ(settings.interval, 10s);
  EXPECT_EQ(settings.endpoint.request_timeout, 2s);
  EXPECT_EQ(settings.endpoint.basic_auth->second.reveal(), "hunter2");
  EXPECT_EQ(settings.endpoint.ca_file, "/etc/hosts");
  EXPECT_TRUE(settings.subjects.admits("orders-value"));
  EXPECT_FALSE(settings.subjects.admits("orders-key"));
  EXPECT_EQ(settings.candidates[0].file, "/etc/weir/schemas/order.avsc");
  EXPECT_EQ(settings.candidates[1].file, "/abs.avsc");
}

TEST_F(SchemaRegistrySettingsTest, DefaultsAreTheDocumentedOnes) {
  const SchemaRegistrySettings settings = parse("{name: main, url: http://registry:8081}");
  EXPECT_TRUE(diagnostics_.ok()) << diagnostics_.to_string();
  EXPECT_EQ(settings.interval, 30s);
  EXPECT_TRUE(settings.subjects.admits("anything"));
}

TEST_F(SchemaRegistrySettingsTest, EveryMistakeIsNamedAtItsPlace) {
  parse(R"(name: main
url: registry:8081
intervall: 10s
interval: 10ms
basic_auth: {user: weir}
bearer_token: t
tls: {cert_file: c.pem}
subjects: {allow: ["("]}
candidates: [{subject: a}, {subject: b, file: x}, {subject: b, file: y}]
contracts: [{subject: a}, {files: x, type: xml, references: [{name: a, subject: b}]}]
naming: topic
drift: {topics: [orders], messages: 0, tables: [{subject: a}], topic: x}
)");
  const std::string text = diagnostics_.to_string();
  for (const char* words :
       {R"(weir.yml:2:6: schema registry "main": "url": write http://)",
        R"(weir.yml:3:1: schema registry "main": unknown key "intervall" (did you mean "interval"?))",
        R"(weir.yml:4:11: schema registry "main": "interval": must be at least 1s)",
        R"(basic_auth: unknown key "user")", R"(key "username" is missing)", "not both", "belong together",
        R"("allow": )", R"(key "file" is missing)", R"(subject "b" has two candidates)",
        R"(contract: key "files" is missing)", R"("type")", R"(key "version" is missing)", R"("naming")",
        R"(give its name as cluster)", R"("messages")", R"(key "source" is missing)",
        R"(unknown key "topic" (did you mean "topics"?))"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  }
}

TEST_F(SchemaRegistrySettingsTest, CredentialsInTheUrlAreRefusedWithoutShowingThem) {
  parse("{name: main, url: 'http://weir:hunter2@registry:8081'}");
  EXPECT_NE(diagnostics_.to_string().find("basic_auth"), std::string::npos);
  EXPECT_EQ(diagnostics_.to_string().find("hunter2"), std::string::npos);
}

TEST_F(SchemaRegistrySettingsTest, ASectionOfTheWrongKindIsAnErrorNotACrash) {
  for (const char* yaml : {"[]", "text", "{name: [], url: {}}",
                           "{name: a, url: 'http://x', subjects: [], candidates: 5, tls: x, basic_auth: []}", ""}) {
    diagnostics_ = {};
    parse(yaml);
    EXPECT_FALSE(diagnostics_.ok()) << yaml;
  }
}

}  // namespace
}  // namespace weir::collectors
