#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectors/schema_registry_client.h"
#include "core/error.h"

#include "schemas/model.h"
#include "schemas/naming.h"

namespace weir::collectors {

/// Schema files that a team means to register, checked before they are offered.
struct SchemaContract {
  std::string files;                        // a path, or a pattern of paths (glob)
  std::string subject;                      // "" for what the naming strategy says of the file
  std::optional<schemas::Format> format;    // of the files; by their extension unless given
  std::vector<SchemaReference> references;  // besides those of the subject's newest version
};

/// One of these files.
struct ContractFile {
  std::string file;
  std::string subject;
  std::string text;
  std::optional<schemas::Format> format;  // nothing: that of the subject
  std::vector<SchemaReference> references = {};
};

inline constexpr std::size_t kLargestContract = 1U << 20U;
inline constexpr std::size_t kMostContractFiles = 1000;

/// Files that a contract's pattern names, in the order of names.
std::vector<std::string> contract_files(const SchemaContract& contract);

/// Reads a file of a contract and tells its subject: as given, with {stem}, {folder} and {record} replaced, else by the
/// naming strategy. Errors: cannot be read (not_found), larger than 1 MiB (limit), empty, not a schema, a subject that
/// nothing tells (invalid); `where` is the file.
core::Result<ContractFile> read_contract(const SchemaContract& contract, const std::string& file,
                                         schemas::NamingStrategy naming);

/// What the registry says to a file.
struct ContractVerdict {
  bool compatible = false;
  std::vector<int> broken;  // versions that it is incompatible with
  /// Which field breaks what, and what to do; of a compatible one what it changes, "" for nothing.
  std::string message;
  /// Compatible only because the level promises nothing: readers would fail.
  bool risky = false;
};

/// Asks the registry whether the schema may follow the newest of these versions, and all of them where the level is
/// transitive (the newest 100). Errors: those of the client; a schema that the registry does not take is incompatible.
core::Result<ContractVerdict> judge_contract(SchemaRegistryClient& client, const ContractFile& contract,
                                             const std::vector<int>& versions, const std::string& level);

/// The level in force for a subject: its own, its context's or the registry's. Errors: those of the client.
core::Result<std::string> level_in_force(SchemaRegistryClient& client, const std::string& subject);

inline constexpr std::size_t kMostPredecessors = 100;

/// Those of these versions (ascending) that a version after them is checked against under a level: the last, or the
/// last 100 where it is transitive. Descending.
std::vector<int> predecessors_of(std::span<const int> versions, const std::string& level);

}  // namespace weir::collectors
