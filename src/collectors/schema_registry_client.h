#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/http_endpoint.h"
#include "core/error.h"
#include "core/secret.h"
#include "core/time.h"
#include "net/http_client.h"

namespace weir::collectors {

struct SchemaReference {
  std::string name;
  std::string subject;
  int version = 0;
};

struct Schema {
  std::string text;
  std::string type;  // "" is AVRO
  std::vector<SchemaReference> references;
  std::optional<core::Time> registered = {};  // where the registry tells it
  std::int64_t id = 0;
  /// Of what never changes while the version is the same one.
  std::size_t fingerprint() const;
};

struct CompatibilityAnswer {
  bool compatible = false;
  std::string message;  // the registry's reasons; "" when compatible, or where it gives none, as Karapace
};

/// The reading half of Confluent's schema registry REST interface, as Confluent, Karapace and Apicurio's
/// /apis/ccompat serve it (https://docs.confluent.io/platform/current/schema-registry/develop/api.html).
/// Errors: not_found (404), invalid (422: a schema it cannot read), denied (401, 403), unavailable (5xx, 429, and all
/// requests while the registry asks to be left alone), protocol (an answer that is not what the interface says).
///
/// To ask for much at once, run what would ask with plan() on: each request that is not at hand fails then, and is
/// noted. fetch() asks for all that was noted, several at a time; what runs after it finds the answers at hand.
class SchemaRegistryClient {
 public:
  SchemaRegistryClient(const HttpEndpoint& endpoint, net::HttpClient& http) : endpoint_(endpoint), http_(http) {}

  /// Requests made from now on end by `deadline` or when `stop` is requested, and are counted from 0. Errors
  /// (unavailable): the registry asked to be left alone until later than `now`.
  core::Result<void> begin_cycle(core::Time now, std::chrono::steady_clock::time_point deadline, std::stop_token stop);
  std::size_t requests() const { return requests_; }

  void plan(bool on) { planning_ = on; }
  bool planning() const { return planning_; }
  /// Asks for at most `most` of what was noted, `parallel` at a time, and forgets the rest; false when nothing was
  /// asked, or when the registry can no longer be reached. Answers are at hand until drop_fetched().
  bool fetch(std::size_t parallel, std::size_t most);
  void drop_fetched();
  /// Schemas of a subject's versions are kept, as they never change: for an hour, or until this is called since it
  /// was deleted, is another one or has other versions. Bounded.
  void forget(const std::string& subject);

  core::Result<std::vector<std::string>> subjects();
  /// The same with those that were deleted softly; nothing where the registry knows no such question.
  core::Result<std::optional<std::vector<std::string>>> all_subjects();
  /// Numbers of the versions, ascending; with those that were deleted softly where `deleted`.
  core::Result<std::vector<int>> versions(const std::string& subject, bool deleted = false);
  core::Result<Schema> schema(const std::string& subject, int version);
  /// The same as the registry has it now, whatever is kept.
  core::Result<Schema> schema_anew(const std::string& subject, int version);
  bool keeps(const std::string& subject, int version) const { return kept_.contains({subject, version}); }
  core::Result<std::string> global_level();
  /// The level in force for a subject, or for a context (":.staging:"); nothing where the global one applies.
  core::Result<std::optional<std::string>> level(const std::string& subject);
  /// The subjects that have a schema of this id, deleted softly or not, each once; none where the registry does not
  /// know the id.
  core::Result<std::vector<std::string>> subjects_of(std::int32_t id);
  /// Whether `schema` may follow `version` under the level in force.
  core::Result<CompatibilityAnswer> check(const std::string& subject, int version, const Schema& schema);

 private:
  core::Result<std::string> get(const std::string& path);
  core::Result<std::vector<std::string>> names(const std::string& path);
  core::Result<std::string> send(net::HttpRequest request, const std::string& path);
  net::HttpRequest whole(net::HttpRequest request, const std::string& path) const;
  core::Result<std::string> read(const std::string& where, core::Result<net::HttpResponse> response);
  core::Result<void> may_ask() const;

  using Answer = core::Result<std::string>;
  struct Kept {
    Schema schema;
    std::size_t bytes = 0;
  };

  const HttpEndpoint& endpoint_;
  net::HttpClient& http_;
  core::Time now_;
  std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point deadline_;
  std::stop_token stop_;
  std::size_t requests_ = 0;
  std::optional<core::Time> not_before_;  // the registry asked to be left alone until then
  bool planning_ = false;
  std::map<std::string, net::HttpRequest> planned_;  // by method, path and body; without login and time
  std::map<std::string, Answer> fetched_;
  std::size_t fetched_bytes_ = 0;
  std::map<std::pair<std::string, int>, Kept> kept_;  // by subject and version
  std::size_t kept_bytes_ = 0;
  core::Time kept_since_;
};

}  // namespace weir::collectors
