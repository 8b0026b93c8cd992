#pragma once

#include <string>
#include <vector>

#include "collectors/schema_registry_client.h"
#include "core/error.h"

#include "schemas/diff.h"
#include "schemas/model.h"

namespace weir::collectors {

/// A schema that another one refers to, directly or through others.
struct ReferencedSchema {
  SchemaReference reference;
  Schema schema;
};

/// A version with all that it refers to, what others need first.
struct WholeSchema {
  Schema schema;
  std::vector<ReferencedSchema> references;
  std::string trouble;  // why the references are not whole: "the references go round: a version 1 → a version 1"
};

inline constexpr std::size_t kDeepestReference = 10;
inline constexpr std::size_t kMostReferences = 100;

/// Reads a version and what it refers to: 10 deep and 100 schemas at most. A reference to what is not there, that goes
/// round or past the bounds is `trouble`, no error. Errors: those of the client.
core::Result<WholeSchema> read_whole(SchemaRegistryClient& client, const std::string& subject, int version);
/// The same for a schema that is not in the registry.
core::Result<WholeSchema> with_references(SchemaRegistryClient& client, Schema schema);

/// The fields. Errors: a format that is not known, a text that cannot be read (invalid, limit).
core::Result<schemas::Model> model_of(const WholeSchema& whole);

/// Whether the schema may follow a version under a level, as the registry answers. Apicurio's interface cannot compare
/// Avro schemas with references (HTTP 422): there Weir's own diff is the judge, where it can read both.
core::Result<CompatibilityAnswer> check_whole(SchemaRegistryClient& client, const std::string& subject, int version,
                                              const WholeSchema& schema, const std::string& level);

/// What changed from one to the other, in what they refer to as well. Errors: either cannot be read as a schema.
core::Result<std::vector<schemas::Change>> changes_between(const WholeSchema& older, const WholeSchema& newer);

}  // namespace weir::collectors
