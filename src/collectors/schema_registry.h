#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/schema_registry_client.h"
#include "config/diagnostics.h"
#include "config/node.h"
#include "core/collector.h"
#include "kafka/filter.h"
#include "net/http_client.h"

namespace weir::collectors {

/// A schema that a team means to register: checked before it is offered.
struct SchemaCandidate {
  std::string subject;
  std::string file;
};

struct SchemaRegistrySettings {
  std::string name;
  HttpEndpoint endpoint;  // its URL without a slash at the end
  core::Duration interval = std::chrono::seconds(30);
  kafka::NameFilter subjects;
  std::vector<SchemaCandidate> candidates;
};

/// Reads one entry of `schema_registries:` (see src/README.md). Beyond the example there: `request_timeout`,
/// `bearer_token`, `tls: {ca_file, cert_file, key_file}`, `subjects: {deny, names}`. The file of a candidate is
/// relative to the file of the node.
SchemaRegistrySettings parse_schema_registry(const config::Node& node, config::Diagnostics& diagnostics);

/// The collector "schema_registry/<name>". Each version is checked once against the one before it, through the
/// registry, and again when the compatibility level in force changes. In a cycle only so many requests are made: of
/// a large registry some subjects are asked for in the next, and show until then what was seen last.
class SchemaRegistryCollector : public core::Collector {
 public:
  static constexpr std::size_t kMostSubjects = 10'000;
  static constexpr std::size_t kMostRequests = 2'000;  // a cycle

  /// `http` outlives the collector.
  SchemaRegistryCollector(SchemaRegistrySettings settings, net::HttpClient& http);

  std::string_view name() const override { return name_; }
  core::Duration interval() const override { return settings_.interval; }
  std::span<const core::MetricInfo> metrics() const override;
  core::Result<core::Batch> collect(const core::CollectContext& context) override;

 private:
  /// What a verdict depends on: while it stays the same, nothing is asked again.
  struct Question {
    int version = 0;      // of the candidate: the newest version
    int predecessor = 0;  // of the candidate: 0
    std::string level;
    std::string text;  // of the candidate's file
    bool operator==(const Question&) const = default;
  };
  struct Verdict {
    Question question;
    bool compatible = false;
  };
  struct Subject {
    std::optional<core::Time> seen;  // last time that everything about it was known
    bool appeared = false;           // since the cycle before: its first version is news
    std::vector<int> versions;
    std::string level;
    std::optional<Verdict> newest;
    std::optional<Verdict> candidate;
    bool candidate_unchecked = false;  // said once: there is no version to check the candidate against
    std::size_t compatible = 0;        // checks so far
    std::size_t incompatible = 0;
    core::Labels versions_labels, latest_labels, level_labels, compatible_labels, candidate_labels;
    core::Labels compatible_total, incompatible_total;
  };
  struct Cycle;

  core::Result<std::vector<std::string>> list_subjects(Cycle& cycle);
  void forget_deleted(const std::vector<std::string>& names);
  void note_appeared(const std::vector<std::string>& names);
  void visit_all(Cycle& cycle, const std::vector<std::string>& names);
  bool may_go_on(Cycle& cycle) const;
  core::Result<void> visit(Cycle& cycle, const std::string& name, Subject& subject);
  core::Result<void> check_newest(Cycle& cycle, const std::string& name, Subject& subject);
  void check_candidates(Cycle& cycle);
  core::Result<void> check_candidate(Cycle& cycle, const SchemaCandidate& candidate, Subject& subject);
  /// 0 when the subject does not exist, nothing while that is not known.
  core::Result<std::optional<int>> newest_version(const Cycle& cycle, const std::string& name, Subject& subject);
  Verdict record(Subject& subject, Question question, bool compatible);
  void emit(Cycle& cycle, const std::string& name, const Subject& subject) const;
  void fault(Cycle& cycle, core::Error error, const std::string& subject) const;
  Subject& subject_named(const std::string& name);
  core::Labels about(std::string_view subject) const;

  SchemaRegistrySettings settings_;
  std::string name_;
  SchemaRegistryClient client_;
  core::Labels subjects_labels_;
  std::map<std::string, Subject, std::less<>> subjects_;    // of the filter, and those of candidates
  std::optional<std::vector<std::string>> previous_names_;  // sorted
  std::string next_;                                        // where the next cycle goes on
};

}  // namespace weir::collectors
