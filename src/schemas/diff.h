#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/model.h"

namespace weir::schemas {

/// One difference between two versions of a schema.
struct Change {
  std::string text;   // "removed field amount (long)": reads after "version 3 …"
  std::string where;  // field or type it is about: "amount", "Address.zip"
  /// Readers with the newer version fail on what the older one wrote, by the rules of the format.
  bool breaks_backward = false;
  /// Readers with the older version fail on what the newer one wrote.
  bool breaks_forward = false;
  std::string_view advice = {};  // what to do instead, where it breaks something: "give it a default"
};

/// What the newer version adds, removes, renames and alters, in the order of its fields. Fields are told apart by name
/// and aliases (Avro), number (Protobuf) or name (JSON). Whether a change breaks readers follows the rules of Avro's
/// schema resolution, of Protobuf's wire format and of Confluent's for JSON Schema; the registry's own answer is the
/// one that counts. Pure.
std::vector<Change> diff(const Model& older, const Model& newer);

/// "removed field amount (long); added field currency (string) without a default; and 3 more changes"; "" for none.
std::string describe(std::span<const Change> changes, std::size_t most = 5);

/// What to do instead of the first of them that has an advice: "note: give it a default"; "" for none.
std::string advice(std::span<const Change> changes);

/// Those that break readers, for a level: `backward` and `forward` say what it promises.
std::vector<Change> breaking(std::span<const Change> changes, bool backward, bool forward);

}  // namespace weir::schemas
