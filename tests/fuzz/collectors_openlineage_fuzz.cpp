#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "collectors/openlineage_event.h"

// Any bytes as the body of an event: what is accepted has what an event must have, within the bounds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const weir::collectors::OpenLineageLimits limits{
      .datasets = 4, .columns = 4, .assertions = 4, .text = 64, .depth = 12};
  const auto event =
      weir::collectors::parse_openlineage(std::string(reinterpret_cast<const char*>(data), size), limits);
  if (!event) return event.error().message.empty() ? std::abort(), 0 : 0;
  const bool job = event->kind != weir::collectors::OpenLineageKind::dataset;
  if (job != !event->job_name.empty() || event->job_name.size() > limits.text) std::abort();
  for (const auto* datasets : {&event->inputs, &event->outputs}) {
    if (datasets->size() > limits.datasets + 1) std::abort();
    for (const auto& dataset : *datasets) {
      if (dataset.name.empty() || dataset.name.size() > limits.text) std::abort();
      if (dataset.made_of.size() > limits.columns || dataset.columns.size() > limits.columns) std::abort();
      if (dataset.assertions.size() > limits.assertions || (dataset.rows && *dataset.rows < 0)) std::abort();
    }
  }
  return 0;
}
