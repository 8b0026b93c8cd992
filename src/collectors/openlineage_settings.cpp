#include <algorithm>
#include <array>

#include "collectors/openlineage.h"
#include "config/reader.h"

namespace weir::collectors {
namespace {

constexpr std::array<std::string_view, 9> kFileSchemes{"s3",   "s3a",  "gs",  "abfss", "wasbs",
                                                       "hdfs", "dbfs", "oss", "file"};

OpenLineageEmitSettings read_openlineage_emit(const config::Node& node, config::Diagnostics& diagnostics) {
  config::MapReader reader(node, diagnostics, "openlineage, emit");
  OpenLineageEmitSettings settings;
  read_emit(reader, "https://marquez/api/v1/lineage, with the path", settings);
  settings.job_namespace = reader.text("namespace", settings.job_namespace);
  reader.finish();
  return settings;
}

}  // namespace

OpenLineageSettings parse_openlineage_section(const config::Node& section, config::Diagnostics& diagnostics) {
  config::MapReader reader(section, diagnostics, "openlineage");
  OpenLineageSettings settings;
  settings.receive = reader.boolean("receive", false);
  settings.token = reader.secret("token");
  for (auto& [name_space, place] : reader.text_map("namespaces")) settings.namespaces[name_space] = place;
  settings.stuck_after = reader.duration("stuck_after", settings.stuck_after);
  if (settings.stuck_after < std::chrono::seconds(1)) reader.error("stuck_after", "must be at least 1s");
  settings.keep = reader.duration("keep", settings.keep);
  if (settings.keep < settings.stuck_after) reader.error("keep", "must be no shorter than stuck_after");
  settings.queue = static_cast<std::size_t>(reader.integer("queue", 5'000, 1, 100'000));
  settings.max_jobs = static_cast<std::size_t>(reader.integer("max_jobs", 5'000, 1, 100'000));
  settings.max_datasets = static_cast<std::size_t>(reader.integer("max_datasets", 10'000, 1, 200'000));
  if (const config::Node* emit = reader.child("emit")) settings.emit = read_openlineage_emit(*emit, diagnostics);
  if (!settings.token.empty() && !settings.receive) reader.error("token", "is for receive: true");
  reader.finish();
  return settings;
}

core::Node openlineage_node(const OpenLineageSettings& settings, const std::string& name_space,
                            const std::string& name) {
  const auto mapped = settings.namespaces.find(name_space);
  const std::string& place = mapped == settings.namespaces.end() ? name_space : mapped->second;
  const std::string scheme = name_space.substr(0, name_space.find(':'));
  if (scheme == "kafka" || std::ranges::find(settings.clusters, place) != settings.clusters.end())
    return {"topic", place, name};
  const bool file = std::ranges::find(kFileSchemes, scheme) != kFileSchemes.end();
  return {file && mapped == settings.namespaces.end() ? "dataset" : "table", place, name};
}

}  // namespace weir::collectors
