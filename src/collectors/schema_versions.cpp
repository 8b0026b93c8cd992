#include "collectors/schema_versions.h"

#include <algorithm>
#include <fmt/format.h>
#include <span>
#include <utility>

#include "schemas/level.h"

namespace weir::collectors {
namespace {

using core::ErrorKind;

std::string text_of(const SchemaReference& reference) {
  return fmt::format("{} version {}", reference.subject, reference.version);
}

/// Follows references from schema to schema.
class Follower {
 public:
  explicit Follower(SchemaRegistryClient& client) : client_(client) {}

  core::Result<void> follow(const std::vector<SchemaReference>& references) {
    for (const SchemaReference& reference : references) {
      if (auto done = follow(reference); !done) return done;
      if (!trouble.empty()) return {};
    }
    return {};
  }

  std::vector<ReferencedSchema> found;
  std::string trouble;
  std::vector<std::string> way;

 private:
  core::Result<void> follow(const SchemaReference& reference) {
    const std::string text = text_of(reference);
    if (const auto begin = std::ranges::find(way, text); begin != way.end()) {
      trouble = "the references go round: ";
      for (auto step = begin; step != way.end(); ++step) trouble += *step + " → ";
      trouble += text;
      return {};
    }
    const bool known = std::ranges::any_of(found, [&](const ReferencedSchema& other) {
      return other.reference.subject == reference.subject && other.reference.version == reference.version;
    });
    if (known) return {};
    if (way.size() > kDeepestReference || found.size() >= kMostReferences) {
      trouble =
          fmt::format("more references than Weir follows ({} deep, {} schemas)", kDeepestReference, kMostReferences);
      return {};
    }
    auto schema = client_.schema(reference.subject, reference.version);
    if (!schema && schema.error().kind == ErrorKind::not_found) {
      trouble = fmt::format("refers to {}, which is not there", text);
      return {};
    }
    if (!schema) return std::unexpected(schema.error());
    way.push_back(text);
    if (auto done = follow(schema->references); !done) return done;
    way.pop_back();
    if (trouble.empty()) found.push_back({reference, std::move(*schema)});
    return {};
  }

  SchemaRegistryClient& client_;
};

core::Result<WholeSchema> follow_from(Follower follower, Schema schema) {
  if (auto done = follower.follow(schema.references); !done) return std::unexpected(done.error());
  return WholeSchema{std::move(schema), std::move(follower.found), std::move(follower.trouble)};
}

core::Result<schemas::Model> parse(const Schema& schema, std::span<const schemas::Referenced> references) {
  const auto format = schemas::format_named(schema.type);
  if (!format)
    return core::fail(ErrorKind::invalid, fmt::format("schemas of the type {} are not known to Weir", schema.type));
  return schemas::parse(*format, schema.text, references);
}

}  // namespace

core::Result<WholeSchema> read_whole(SchemaRegistryClient& client, const std::string& subject, int version) {
  auto schema = client.schema(subject, version);
  if (!schema) return std::unexpected(schema.error());
  Follower follower(client);
  follower.way.push_back(text_of({.name = {}, .subject = subject, .version = version}));
  return follow_from(std::move(follower), std::move(*schema));
}

core::Result<WholeSchema> with_references(SchemaRegistryClient& client, Schema schema) {
  return follow_from(Follower(client), std::move(schema));
}

core::Result<schemas::Model> model_of(const WholeSchema& whole) {
  std::vector<schemas::Referenced> references;
  for (const ReferencedSchema& each : whole.references) references.push_back({each.reference.name, each.schema.text});
  return parse(whole.schema, references);
}

core::Result<CompatibilityAnswer> check_whole(SchemaRegistryClient& client, const std::string& subject, int version,
                                              const WholeSchema& schema, const std::string& level) {
  auto answer = client.check(subject, version, schema.schema);
  const bool refused = !answer && answer.error().kind == ErrorKind::invalid;
  if (!refused || schema.references.empty() || !schema.trouble.empty()) return answer;
  const auto older = read_whole(client, subject, version);
  if (!older) return std::unexpected(older.error());
  const auto before = model_of(*older);
  const auto after = model_of(schema);
  if (!before || !after || !before->unknown.empty() || !after->unknown.empty()) return answer;
  const auto changes = changes_between(*older, schema);
  if (!changes) return answer;
  const schemas::Level promise = schemas::level_named(level);
  return CompatibilityAnswer{.compatible = schemas::breaking(*changes, promise.backward, promise.forward).empty(),
                             .message = {}};
}

core::Result<std::vector<schemas::Change>> changes_between(const WholeSchema& older, const WholeSchema& newer) {
  const auto before = model_of(older);
  if (!before) return std::unexpected(before.error());
  const auto after = model_of(newer);
  if (!after) return std::unexpected(after.error());
  std::vector<schemas::Change> changes = schemas::diff(*before, *after);
  for (const ReferencedSchema& each : newer.references) {
    const auto same = std::ranges::find_if(older.references, [&](const ReferencedSchema& other) {
      return other.reference.name == each.reference.name && other.schema.text != each.schema.text;
    });
    if (same == older.references.end()) continue;
    // Types that both refer to are left by their names.
    const auto was = parse(same->schema, {});
    const auto is = parse(each.schema, {});
    if (!was || !is) continue;
    for (schemas::Change& change : schemas::diff(*was, *is)) {
      change.text = fmt::format("{} (in {})", change.text, text_of(each.reference));
      changes.push_back(std::move(change));
    }
  }
  return changes;
}

}  // namespace weir::collectors
