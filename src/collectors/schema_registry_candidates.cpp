#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "collectors/schema_registry_cycle.h"

namespace weir::collectors {
namespace {

using core::ErrorKind;
using core::Labels;

}  // namespace

void SchemaRegistryCollector::candidate_fault(Cycle& cycle, core::Error error, const std::string& subject) const {
  cycle.faulty_candidates.insert(subject);
  Labels scope = Labels::metric(registry_metrics::kCandidate, {{"registry", settings_.name}, {"subject", subject}});
  cycle.batch.faults.push_back({std::move(error), std::move(scope)});
}

std::vector<ContractFile> SchemaRegistryCollector::candidates(Cycle& cycle) const {
  std::vector<ContractFile> found;
  const auto add = [&](const SchemaContract& contract, const std::string& file) {
    auto read = read_contract(contract, file, settings_.naming);
    if (!read) {
      // Which subject a broken file is about may not be known: then the file's name tells the series.
      if (!contract.subject.empty() && contract.subject.find('{') == std::string::npos)
        cycle.candidates.insert(contract.subject);
      candidate_fault(cycle, read.error(), contract.subject.empty() ? file : contract.subject);
      return;
    }
    if (!cycle.candidates.insert(read->subject).second) {
      candidate_fault(
          cycle,
          core::fail(ErrorKind::invalid, fmt::format("another file is for the subject {} too", read->subject), file)
              .error(),
          file);
      return;
    }
    found.push_back(std::move(*read));
  };
  for (const SchemaCandidate& candidate : settings_.candidates) {
    SchemaContract contract{.files = candidate.file, .subject = candidate.subject, .format = {}, .references = {}};
    add(contract, candidate.file);
  }
  for (const SchemaContract& contract : settings_.contracts) {
    const auto files = contract_files(contract);
    if (files.empty()) {
      candidate_fault(cycle,
                      core::fail(ErrorKind::not_found, "no file fits the contract's pattern", contract.files).error(),
                      contract.files);
    }
    for (const std::string& file : files) {
      if (found.size() < kMostContractFiles) {
        add(contract, file);
        continue;
      }
      candidate_fault(
          cycle,
          core::fail(ErrorKind::limit,
                     fmt::format("more than {} files of contracts; the rest is not checked", kMostContractFiles),
                     contract.files)
              .error(),
          contract.files);
      return found;
    }
  }
  return found;
}

void SchemaRegistryCollector::forget_candidates(const Cycle& cycle) {
  for (auto entry = subjects_.begin(); entry != subjects_.end();) {
    auto& [name, subject] = *entry;
    if (!cycle.candidates.contains(name)) {
      subject.candidate.reset();
      subject.candidate_unchecked = false;
      if (!subject.seen && !(cycle.listed.contains(name) && settings_.subjects.admits(name))) {
        entry = subjects_.erase(entry);
        continue;
      }
    }
    ++entry;
  }
}

void SchemaRegistryCollector::check_candidates(Cycle& cycle) {
  const std::vector<ContractFile> all = candidates(cycle);
  forget_candidates(cycle);
  for (const ContractFile& candidate : all) {
    const bool in_time = may_go_on(cycle, settings_.most_requests);
    if (cycle.gave_up) return;  // which is a fault of the whole registry
    Subject& subject = subject_named(candidate.subject);
    auto done = in_time ? check_candidate(cycle, candidate, subject)
                        : core::fail(ErrorKind::limit, "no time left to check the candidate", name_);
    if (!done) candidate_fault(cycle, std::move(done.error()), candidate.subject);
  }
}

core::Result<std::optional<std::vector<int>>> SchemaRegistryCollector::versions_for(const Cycle& cycle,
                                                                                    const std::string& name,
                                                                                    Subject& subject) {
  if (!cycle.listed.contains(name)) return std::vector<int>();
  if (settings_.subjects.admits(name)) {
    if (!subject.seen) return std::nullopt;  // its turn has not come yet
    return subject.versions;
  }
  auto versions = client_.versions(name);
  if (!versions) return std::unexpected(versions.error());
  const auto level = client_.level(name);
  if (!level) return std::unexpected(level.error());
  subject.level = *level ? **level : cycle.global_level.value_or("");
  return std::move(*versions);
}

core::Result<void> SchemaRegistryCollector::check_candidate(Cycle& cycle, const ContractFile& candidate,
                                                            Subject& subject) {
  if (cycle.faulty.contains(candidate.subject)) return {};  // its fault covers the candidate too
  const auto versions = versions_for(cycle, candidate.subject, subject);
  if (!versions) return std::unexpected(versions.error());
  if (!*versions) return {};
  if ((*versions)->empty()) {
    subject.candidate.reset();
    if (!std::exchange(subject.candidate_unchecked, true)) {
      tell(cycle, "schema_candidate_unchecked", candidate.subject,
           fmt::format("The registry has no subject {} to check {} against.", candidate.subject, candidate.file));
    }
    return {};
  }
  subject.candidate_unchecked = false;
  Question question{.version = (*versions)->back(),
                    .predecessors = predecessors_of(**versions, subject.level),
                    .level = subject.level,
                    .text = candidate.text};
  if (subject.candidate && subject.candidate->question == question) return {};
  const auto verdict = judge_contract(client_, candidate, **versions, subject.level);
  if (!verdict) return std::unexpected(verdict.error());
  if (!verdict->compatible) {
    tell(cycle, "schema_candidate_incompatible", candidate.subject,
         fmt::format("The candidate {} is {}", candidate.file, verdict->message));
  } else if (verdict->risky) {
    tell(cycle, "schema_candidate_risky", candidate.subject,
         fmt::format("The candidate {} is {}", candidate.file, verdict->message));
  }
  count(subject, verdict->compatible);
  subject.candidate = Verdict{.question = std::move(question), .compatible = verdict->compatible};
  return {};
}

}  // namespace weir::collectors
