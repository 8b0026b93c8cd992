#include "storage/export.h"

#include <array>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <span>

#include "storage/reader.h"
#include "storage/schema.h"

namespace weir::storage {
namespace {

using nlohmann::ordered_json;

enum class Kind { text, integer, real, time, json };

struct Field {
  std::string_view name;
  Kind kind;
};

/// What is written of one table, in the order of its columns in `sql`.
struct Section {
  std::string_view type;
  std::string_view sql;
  std::span<const Field> fields;
};

constexpr std::array kAlert{Field{"alert", Kind::json}};
constexpr std::array kIncident{
    Field{"id", Kind::text},        Field{"key", Kind::text},         Field{"title", Kind::text},
    Field{"severity", Kind::text},  Field{"cause", Kind::text},       Field{"labels", Kind::json},
    Field{"opened_at", Kind::time}, Field{"resolved_at", Kind::time}, Field{"details", Kind::json}};
constexpr std::array kTransition{Field{"at", Kind::time}, Field{"from", Kind::text}, Field{"to", Kind::text},
                                 Field{"reason", Kind::text}, Field{"alert", Kind::json}};
constexpr std::array kMeasurement{Field{"check", Kind::text}, Field{"at", Kind::time}, Field{"value", Kind::real},
                                  Field{"mark", Kind::integer}, Field{"feedback", Kind::integer}};
constexpr std::array kSilence{Field{"silence", Kind::json}};
constexpr std::array kGroup{Field{"name", Kind::text}, Field{"record", Kind::json}};
constexpr std::array kMessage{
    Field{"idempotency_key", Kind::text}, Field{"receiver", Kind::text},     Field{"integration", Kind::text},
    Field{"order_key", Kind::text},       Field{"notification", Kind::json}, Field{"created_at", Kind::time},
    Field{"next_attempt_at", Kind::time}, Field{"attempts", Kind::integer},  Field{"last_error", Kind::text},
    Field{"delivered_at", Kind::time},    Field{"dead_at", Kind::time}};
constexpr std::array kReference{Field{"receiver", Kind::text}, Field{"integration", Kind::text},
                                Field{"order_key", Kind::text}, Field{"reference", Kind::text},
                                Field{"at", Kind::time}};
constexpr std::array kText{Field{"name", Kind::text}, Field{"text", Kind::text}};
constexpr std::array kEntry{Field{"at", Kind::time}, Field{"kind", Kind::text}, Field{"text", Kind::text}};

constexpr std::string_view kIncidentType = "incident";
constexpr std::array kSections{
    Section{"alert", "SELECT alert FROM alerts ORDER BY rule_group, rule, fingerprint", kAlert},
    Section{kIncidentType,
            "SELECT id, incident_key, title, severity, cause, labels, opened_at, resolved_at, details FROM incidents "
            "ORDER BY opened_at, id",
            kIncident},
    Section{"transition", "SELECT at, from_state, to_state, reason, alert FROM transitions ORDER BY id", kTransition},
    Section{"measurement", "SELECT check_id, at, value, mark, feedback FROM measurements ORDER BY check_id, at",
            kMeasurement},
    Section{"silence", "SELECT silence FROM silences ORDER BY id", kSilence},
    Section{"notification_group", "SELECT name, record FROM notification_groups ORDER BY name", kGroup},
    Section{"message",
            "SELECT idempotency_key, receiver, integration, order_key, notification, created_at, next_attempt_at, "
            "attempts, last_error, delivered_at, dead_at FROM outbox ORDER BY sequence",
            kMessage},
    Section{"message_reference",
            "SELECT receiver, integration, order_key, reference, at FROM message_references "
            "ORDER BY receiver, integration, order_key",
            kReference},
    Section{"text", "SELECT name, text FROM texts WHERE name <> 'weir/last_commit' ORDER BY name", kText},
};

ordered_json value_of(const Row& row, int column, Kind kind) {
  if (row.is_null(column)) return nullptr;
  switch (kind) {
    case Kind::text: return row.text(column);
    case Kind::integer: return row.integer(column);
    case Kind::time: return core::format_rfc3339(core::Time(core::Duration(row.integer(column))));
    case Kind::real: {
      const double value = row.real(column);
      if (std::isfinite(value)) return value;
      return value > 0 ? "+Inf" : "-Inf";
    }
    case Kind::json: {
      const std::string text = row.text(column);
      auto parsed = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
      return parsed.is_discarded() ? ordered_json{{"unreadable", text}} : parsed;
    }
  }
  return nullptr;
}

ordered_json object_of(const Row& row, std::span<const Field> fields) {
  ordered_json object = ordered_json::object();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    object[std::string(fields[i].name)] = value_of(row, static_cast<int>(i), fields[i].kind);
  }
  return object;
}

class Exporter {
 public:
  using Line = std::function<core::Result<void>(const std::string&)>;
  Exporter(Database& database, const Line& line, const RowProgress& progress)
      : database_(database), line_(line), progress_(progress) {}

  core::Result<void> run(std::int64_t version) {
    if (auto counted = count(); !counted) return counted;
    auto written = write({{"type", "weir_export"}, {"format", 1}, {"schema", version}});
    for (std::size_t i = 0; written && i < kSections.size(); ++i) written = write_section(kSections.at(i));
    return written;
  }

 private:
  core::Result<void> count() {
    for (const Section& section : kSections) {
      auto done = database_.each(fmt::format("SELECT count(*) FROM ({}) AS counted", section.sql), {},
                                 [&](const Row& row) -> core::Result<void> {
                                   all_ += static_cast<std::size_t>(row.integer(0));
                                   return {};
                                 });
      if (!done) return done;
    }
    return {};
  }

  core::Result<void> write(const ordered_json& object) {
    return line_(object.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  }

  core::Result<void> write_section(const Section& section) {
    return database_.each(section.sql, {}, [&](const Row& row) -> core::Result<void> {
      ordered_json object{{"type", section.type}};
      object.update(object_of(row, section.fields));
      if (section.type == kIncidentType) {
        if (auto whole = add_parts(row.text(0), object); !whole) return whole;
      }
      if (auto written = write(object); !written) return written;
      if (progress_) progress_(++done_, all_);
      return {};
    });
  }

  core::Result<void> add_parts(const std::string& id, ordered_json& incident) {
    ordered_json alerts = ordered_json::array();
    auto done = database_.each("SELECT alert FROM incident_alerts WHERE incident_id = $1 ORDER BY position",
                               {std::string_view(id)}, [&](const Row& row) -> core::Result<void> {
                                 alerts.push_back(value_of(row, 0, Kind::json));
                                 return {};
                               });
    if (!done) return done;
    ordered_json timeline = ordered_json::array();
    done = database_.each("SELECT at, kind, entry FROM incident_timeline WHERE incident_id = $1 ORDER BY position",
                          {std::string_view(id)}, [&](const Row& row) -> core::Result<void> {
                            timeline.push_back(object_of(row, kEntry));
                            return {};
                          });
    incident["alerts"] = std::move(alerts);
    incident["timeline"] = std::move(timeline);
    return done;
  }

  Database& database_;
  const Line& line_;
  const RowProgress& progress_;
  std::size_t done_ = 0;
  std::size_t all_ = 0;
};

}  // namespace

core::Result<void> export_json(const StorageSettings& settings,
                               const std::function<core::Result<void>(const std::string&)>& line,
                               const RowProgress& progress) {
  auto database = open_reader(settings);
  if (!database) return std::unexpected(database.error());
  const auto version = version_known(**database);
  if (!version) return std::unexpected(version.error());
  return in_transaction(**database, [&] { return Exporter(**database, line, progress).run(*version); });
}

}  // namespace weir::storage
