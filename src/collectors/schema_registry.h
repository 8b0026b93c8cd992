#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/schema_contracts.h"
#include "collectors/schema_registry_client.h"
#include "collectors/schema_versions.h"
#include "config/diagnostics.h"
#include "config/node.h"
#include "core/collector.h"
#include "kafka/filter.h"
#include "net/http_client.h"

#include "schemas/naming.h"

namespace weir::collectors {

/// A schema that a team means to register: checked before it is offered.
struct SchemaCandidate {
  std::string subject;
  std::string file;
};

/// A table that a subject's messages are loaded into.
struct SchemaTable {
  std::string subject;
  std::string source;
  std::string table;
  std::set<std::string> ignored;  // columns and fields that need no counterpart
  config::Position position;
};

/// What is compared with the registry besides: messages of topics, columns of tables.
struct SchemaDriftSettings {
  core::Duration interval = std::chrono::minutes(5);
  kafka::NameFilter topics;  // none unless given
  bool any_topics = false;
  std::size_t messages = 20;  // of a topic, each time
  std::vector<SchemaTable> tables;
  config::Position position;

  bool any() const { return any_topics || !tables.empty(); }
};

struct SchemaRegistrySettings {
  std::string name;
  HttpEndpoint endpoint;  // its URL without a slash at the end
  core::Duration interval = std::chrono::seconds(30);
  kafka::NameFilter subjects;
  std::vector<SchemaCandidate> candidates;
  std::vector<SchemaContract> contracts;
  schemas::NamingStrategy naming = schemas::NamingStrategy::topic_name;
  std::string cluster;  // of Kafka, that the topics are in; "" where that is not told
  SchemaDriftSettings drift;
  std::size_t parallel = 8;            // requests at once
  std::size_t most_requests = 20'000;  // a cycle, three quarters of them for looking at each subject; not read
};

/// Reads one entry of `schema_registries:` (see src/README.md). Beyond the example there: `request_timeout`,
/// `bearer_token`, `tls: {ca_file, cert_file, key_file}`, `subjects: {deny, names}`. The file of a candidate is
/// relative to the file of the node.
SchemaRegistrySettings parse_schema_registry(const config::Node& node, config::Diagnostics& diagnostics);

/// The collector "schema_registry/<name>". Each version is checked once against the one before it (against all before
/// it where the level is transitive) through the registry, and again when the level in force changes; the newest first,
/// older ones as requests are left. A subject that was deleted for good and created anew between two cycles has the
/// same versions; that it is another one is seen within ten cycles, or an hour. In a cycle only so many requests are
/// made: of a large registry some subjects are asked for in the next, and show until then what was seen last.
class SchemaRegistryCollector : public core::Collector {
 public:
  static constexpr std::size_t kMostSubjects = 10'000;

  /// `http` outlives the collector.
  SchemaRegistryCollector(SchemaRegistrySettings settings, net::HttpClient& http);

  std::string_view name() const override { return name_; }
  core::Duration interval() const override { return settings_.interval; }
  std::span<const core::MetricInfo> metrics() const override;
  core::Result<core::Batch> collect(const core::CollectContext& context) override;

 private:
  /// What a verdict depends on: while it stays the same, nothing is asked again.
  struct Question {
    int version = 0;                // of the candidate: the newest version
    std::vector<int> predecessors;  // that it is checked against
    std::string level;
    std::string text;  // of the candidate's file
    bool operator==(const Question&) const = default;
  };
  struct Verdict {
    Question question;
    bool compatible = false;
    bool known = true;  // false: the registry cannot tell, as it no longer reads that version
  };
  /// The newest of the predecessors that a version is incompatible with, and what the registry says of it.
  struct Broken {
    int version = 0;
    std::string message;
  };
  struct Subject {
    std::optional<core::Time> seen;  // last time that everything about it was known
    bool appeared = false;           // since the cycle before: its first version is news
    std::vector<int> versions;
    std::optional<std::vector<int>> deleted_versions;  // softly
    core::Time deleted_seen;                           // when they were asked for
    bool looked_back = false;                          // nothing of its past is left to look at
    std::string level;
    bool level_known = false;            // as of the last look
    std::optional<core::Time> loosened;  // when the level promised less than before
    std::string promised;                // the level before that
    std::optional<core::Time> last_change;
    std::optional<Verdict> newest;
    std::map<int, Verdict> history;  // of older versions
    // Of the newest version, once it was read:
    int described = 0;
    std::int64_t id = 0;
    std::size_t fingerprint = 0;
    core::Time look_again;                  // whether it is still the same
    std::optional<core::Time> dated_ahead;  // by the registry's clock
    std::string format;
    std::string record;
    std::string topic;
    std::string reference_trouble;
    std::vector<SchemaReference> references;
    std::optional<Verdict> candidate;
    bool candidate_unchecked = false;  // said once: there is no version to check the candidate against
    std::size_t compatible = 0;        // checks so far
    std::size_t incompatible = 0;
    core::Labels versions_labels, latest_labels, level_labels, compatible_labels, candidate_labels, info_labels;
    core::Labels compatible_total, incompatible_total, deleted_labels, incompatible_versions, change_labels;
  };
  struct Cycle;

  // The cycle: schema_registry.cpp
  core::Result<std::vector<std::string>> list_subjects(Cycle& cycle);
  void list_deleted(Cycle& cycle);
  void forget_deleted(Cycle& cycle, const std::vector<std::string>& names);
  void note_appeared(const std::vector<std::string>& names);
  void visit_all(Cycle& cycle, const std::vector<std::string>& names);
  void name_unseen(Cycle& cycle, const std::vector<std::string>& names) const;
  bool may_go_on(Cycle& cycle, std::size_t most_requests) const;
  std::size_t in_turn() const { return settings_.most_requests / 4 * 3; }
  std::size_t for_history() const { return settings_.most_requests - kMostPredecessors; }
  /// Runs `step` on copies of the subjects to learn what it would ask, and asks for that, several requests at once;
  /// again until nothing is missing. Then the step itself finds every answer at hand.
  using Step = std::function<core::Result<void>(Cycle& cycle, const std::string& name, Subject& subject)>;
  void ask_ahead(const Cycle& cycle, const std::vector<std::string>& names, std::size_t most_requests,
                 const Step& step);
  core::Result<void> step_back_all(Cycle& cycle, const std::string& name, Subject& subject);
  void visit_one(Cycle& cycle, const std::string& name);
  core::Result<void> visit(Cycle& cycle, const std::string& name, Subject& subject);
  void look_back(Cycle& cycle, const std::vector<std::string>& names);
  void fault(Cycle& cycle, core::Error error, const std::string& subject) const;
  Subject& subject_named(const std::string& name);
  core::Labels about(const std::string& name) const;
  void tell(Cycle& cycle, std::string kind, const std::string& name, std::string message) const;

  // Versions and levels: schema_registry_judge.cpp
  core::Result<void> note_level(Cycle& cycle, const std::string& name, Subject& subject);
  void note_versions(Cycle& cycle, const std::string& name, Subject& subject, std::vector<int> versions);
  /// Looks from time to time whether the newest version is still the one that was described. Errors: the client's.
  core::Result<void> note_replaced(Cycle& cycle, const std::string& name, Subject& subject);
  core::Duration until_next_look(const std::string& name) const;
  core::Result<void> check_newest(Cycle& cycle, const std::string& name, Subject& subject, bool is_new);
  core::Result<Verdict> check_version(const std::string& name, const Question& question, const WholeSchema& schema,
                                      std::optional<Broken>& broken);
  void tell_incompatible(Cycle& cycle, const std::string& name, const Subject& subject, const Broken& broken,
                         const WholeSchema& newest, const WholeSchema& older) const;
  void describe(Cycle& cycle, const std::string& name, Subject& subject, const WholeSchema& whole);
  /// One step of what no cycle waits for; false when there is none left.
  core::Result<bool> step_back(Cycle& cycle, const std::string& name, Subject& subject);
  std::string registered_text(const std::string& name, const Subject& subject, const WholeSchema* newest,
                              const WholeSchema* older) const;
  bool loosened(const Subject& subject, core::Time now) const;

  // Candidates: schema_registry_candidates.cpp
  void check_candidates(Cycle& cycle);
  std::vector<ContractFile> candidates(Cycle& cycle) const;
  core::Result<void> check_candidate(Cycle& cycle, const ContractFile& candidate, Subject& subject);
  /// Empty when the subject does not exist, nothing while that is not known.
  core::Result<std::optional<std::vector<int>>> versions_for(const Cycle& cycle, const std::string& name,
                                                             Subject& subject);
  void candidate_fault(Cycle& cycle, core::Error error, const std::string& subject) const;
  void forget_candidates(const Cycle& cycle);

  // Samples and edges: schema_registry_samples.cpp
  void count(Subject& subject, bool compatible);
  void emit(Cycle& cycle, const std::string& name, const Subject& subject) const;
  void emit_findings(Cycle& cycle, const std::string& name, const Subject& subject) const;
  void emit_totals(Cycle& cycle, std::size_t subjects) const;
  void emit_clock(Cycle& cycle) const;
  void emit_edges(Cycle& cycle, const std::string& name, const Subject& subject) const;
  void label(const std::string& name, Subject& subject) const;

  SchemaRegistrySettings settings_;
  std::string name_;
  SchemaRegistryClient client_;
  std::map<std::string, Subject, std::less<>> subjects_;    // of the filter, and those of candidates
  std::optional<std::vector<std::string>> previous_names_;  // sorted
  std::string next_;                                        // where the next cycle goes on
  std::string next_back_;                                   // the same of look_back()
  bool told_none_ = false;                                  // of the subjects whose level is NONE at the start
};

}  // namespace weir::collectors
