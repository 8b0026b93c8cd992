#include "collectors/schema_contracts.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <glob.h>
#include <utility>

#include "collectors/schema_versions.h"
#include "config/node.h"

#include "schemas/diff.h"
#include "schemas/level.h"

namespace weir::collectors {
namespace {

using core::ErrorKind;

core::Result<std::string> read_text(const std::string& file) {
  auto text = config::read_file(file, kLargestContract, config::Streams::own);
  if (!text) return core::fail(ErrorKind::not_found, "the candidate " + text.error().message, file);
  if (text->size() > kLargestContract) return core::fail(ErrorKind::limit, "the candidate is larger than 1 MiB", file);
  if (text->empty()) return core::fail(ErrorKind::invalid, "the candidate is empty", file);
  return text;
}

std::optional<schemas::Format> format_of(const std::string& file) {
  const std::string extension = std::filesystem::path(file).extension().string();
  if (extension == ".avsc" || extension == ".avro") return schemas::Format::avro;
  if (extension == ".proto") return schemas::Format::protobuf;
  if (extension == ".json") return schemas::Format::json;
  return std::nullopt;
}

void replace(std::string& text, std::string_view what, const std::string& by) {
  const std::size_t at = text.find(what);
  if (at != text.npos) text.replace(at, what.size(), by);
}

/// A file may end in more than one extension: orders-value.schema.json.
std::string stem_of(const std::filesystem::path& path) {
  std::string stem = path.stem().string();
  if (stem.ends_with(".schema")) stem.resize(stem.size() - 7);
  return stem;
}

std::string versions_text(const std::vector<int>& versions) {
  return fmt::format("version{} {}", versions.size() == 1 ? "" : "s", fmt::join(versions, ", "));
}

/// What the file would change, for the breaking of one version: the sentence that a developer reads in CI.
std::string explain(const core::Result<std::vector<schemas::Change>>& found, const std::string& said,
                    const std::string& level) {
  const std::vector<schemas::Change> changes = found.value_or(std::vector<schemas::Change>());
  const schemas::Level promise = schemas::level_named(level);
  const auto breaking = schemas::breaking(changes, promise.backward, promise.forward);
  const auto& shown = breaking.empty() ? changes : breaking;
  std::string text = found ? schemas::describe(shown) : found.error().message;
  if (!said.empty()) text += (text.empty() ? "" : ". The registry says: ") + said;
  if (text.empty()) text = "the registry gives no reason";
  if (const std::string advice = schemas::advice(breaking); !advice.empty()) text += ". What to do: " + advice;
  return text;
}

}  // namespace

std::vector<std::string> contract_files(const SchemaContract& contract) {
  std::vector<std::string> files;
  glob_t found{};
  if (::glob(contract.files.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  }
  ::globfree(&found);
  return files;
}

core::Result<ContractFile> read_contract(const SchemaContract& contract, const std::string& file,
                                         schemas::NamingStrategy naming) {
  auto text = read_text(file);
  if (!text) return std::unexpected(text.error());
  ContractFile read{.file = file,
                    .subject = contract.subject,
                    .text = std::move(*text),
                    .format = contract.format ? contract.format : format_of(file),
                    .references = contract.references};
  std::string record;
  // What Weir cannot read the registry may: only where the subject hangs on it is it an error.
  std::string mistake = "its extension tells no format; name it .avsc, .proto or .json, or give the contract's type";
  if (read.format) {
    const auto model = schemas::parse(*read.format, read.text);
    mistake = model ? "its schema has no name that would tell the subject; give the contract's subject"
                    : model.error().message;
    if (model) record = model->record;
  }
  const std::filesystem::path path(file);
  const std::string folder = path.parent_path().filename().string();
  if (contract.subject.empty()) {
    read.subject = schemas::subject_of_file(stem_of(path), folder, record, naming);
  } else {
    replace(read.subject, "{stem}", stem_of(path));
    replace(read.subject, "{folder}", folder);
    replace(read.subject, "{record}", record);
  }
  const bool needs_record = contract.subject.find("{record}") != std::string::npos ||
                            (contract.subject.empty() && naming != schemas::NamingStrategy::topic_name);
  const bool needs_format = contract.subject.empty() && !read.format;
  if (read.subject.empty() || needs_format || (needs_record && record.empty()))
    return core::fail(ErrorKind::invalid, mistake, file);
  return read;
}

core::Result<std::string> level_in_force(SchemaRegistryClient& client, const std::string& subject) {
  auto own = client.level(subject);
  if (!own) return std::unexpected(own.error());
  if (*own) return std::move(**own);
  const std::string context = schemas::read_subject(subject, schemas::NamingStrategy::topic_name, "").context;
  if (!context.empty()) {
    auto of_context = client.level(":" + context + ":");
    if (!of_context) return std::unexpected(of_context.error());
    if (*of_context) return std::move(**of_context);
  }
  return client.global_level();
}

std::vector<int> predecessors_of(std::span<const int> versions, const std::string& level) {
  const std::size_t most = schemas::level_named(level).transitive ? kMostPredecessors : 1;
  std::vector<int> found(versions.rbegin(), versions.rend());
  if (found.size() > most) found.resize(most);
  return found;
}

core::Result<ContractVerdict> judge_contract(SchemaRegistryClient& client, const ContractFile& contract,
                                             const std::vector<int>& versions, const std::string& level) {
  ContractVerdict verdict;
  if (versions.empty()) return core::fail(ErrorKind::not_found, "the subject has no version", contract.subject);
  auto newest = read_whole(client, contract.subject, versions.back());
  if (!newest) return std::unexpected(newest.error());
  Schema schema{.text = contract.text, .type = newest->schema.type, .references = newest->schema.references};
  if (contract.format && *contract.format != schemas::Format::avro) schema.type = schemas::to_string(*contract.format);
  if (contract.format == schemas::Format::avro && !schema.type.empty()) schema.type = "AVRO";
  for (const SchemaReference& reference : contract.references) {
    std::erase_if(schema.references, [&](const SchemaReference& other) { return other.name == reference.name; });
    schema.references.push_back(reference);
  }
  const auto mine = with_references(client, std::move(schema));
  if (!mine) return std::unexpected(mine.error());
  std::string said;
  for (const int version : predecessors_of(versions, level)) {
    auto answer = check_whole(client, contract.subject, version, *mine, level);
    if (!answer && answer.error().kind == ErrorKind::invalid)
      answer = CompatibilityAnswer{.compatible = false, .message = answer.error().message};
    if (!answer) return std::unexpected(answer.error());
    if (answer->compatible) continue;
    if (verdict.broken.empty()) said = answer->message;
    verdict.broken.push_back(version);
  }
  verdict.compatible = verdict.broken.empty();
  if (!verdict.compatible && verdict.broken.front() != versions.back()) {
    newest = read_whole(client, contract.subject, verdict.broken.front());
    if (!newest) return std::unexpected(newest.error());
  }
  const auto changes = changes_between(*newest, *mine);
  if (!verdict.compatible) {
    verdict.message = fmt::format("incompatible with {} of {} under {} ({}): {}", versions_text(verdict.broken),
                                  contract.subject, level, schemas::meaning(level), explain(changes, said, level));
    return verdict;
  }
  if (!changes) return verdict;  // the registry takes it, whatever Weir makes of it
  const auto risks = schemas::breaking(*changes, true, false);
  verdict.risky = !schemas::level_named(level).backward && !schemas::level_named(level).forward && !risks.empty();
  verdict.message =
      verdict.risky ? fmt::format(
                          "allowed, as {} promises nothing, and yet new readers of {} may fail on "
                          "what version {} wrote: {}. What to do: {}",
                          level, contract.subject, versions.back(), schemas::describe(risks), schemas::advice(risks))
                    : schemas::describe(*changes);
  return verdict;
}

}  // namespace weir::collectors
