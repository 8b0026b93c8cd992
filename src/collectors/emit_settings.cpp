#include "collectors/emit_settings.h"

namespace weir::collectors {

void read_emit(config::MapReader& reader, const std::string& example, EmitSettings& settings) {
  settings.endpoint.url = reader.required_text("url");
  if (const std::string mistake = url_mistake(settings.endpoint.url);
      !settings.endpoint.url.empty() && !mistake.empty())
    reader.error("url", mistake + ", as " + example);
  read_login(reader, settings.endpoint);
  settings.queue = static_cast<std::size_t>(reader.integer("queue", 1'000, 1, 100'000));
  settings.every = reader.duration("every", settings.every);
  if (settings.every < std::chrono::minutes(1)) reader.error("every", "must be at least 1m");
  settings.incidents = reader.boolean("incidents", true);
}

}  // namespace weir::collectors
