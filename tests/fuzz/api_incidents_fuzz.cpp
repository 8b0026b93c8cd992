#include <cstddef>
#include <cstdint>
#include <string>

#include "api/incidents_api.h"

/// What anybody may send: the search of the history, and the body of a deed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  class Nothing final : public core::SeriesSource {
    core::Result<std::vector<core::SeriesView>> select(const core::Selection&) const override { return {}; }
  } series;
  const api::MetricsPage metrics;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const api::Backend backend{
      .series = series,
      .metrics = metrics,
      .assets = {},
      .version = "0",
      .started_at = {},
      .now = [] { return core::Time(); },
      .collectors = [] { return std::vector<api::CollectorView>(); },
      .alerts = [] { return std::vector<core::Alert>(); },
      .incidents = [] { return std::vector<core::Incident>(); },
      .history = [](std::size_t, const std::string&) { return std::vector<core::Incident>(); },
      .incident_access = {.find =
                              [](const core::IncidentSearch& search, std::size_t) {
                                if (search.words.size() > core::kMostSearchWords) __builtin_trap();
                                return api::FoundIncidents();
                              },
                          .handle = [](const core::Deed&) { return core::Incident(); },
                          .silence = [](const std::string&, const std::string&, const std::string&,
                                        core::Duration) { return core::Incident(); },
                          .postmortem = [](const std::string&) { return std::string(); }}};
  net::ServerRequest request;
  request.method = "GET";
  request.path = api::kIncidentPath;
  request.query = text;
  (void)api::incidents_api(backend, request);
  for (const char* deed : {"assign", "silence"}) {
    request.method = "POST";
    request.path = std::string(api::kIncidentPath) + "/aa/" + deed;
    request.body = text;
    (void)api::incidents_api(backend, request);
  }
  return 0;
}
