#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "notify/message_text.h"

namespace {

weir::core::Notification notification() {
  weir::core::Alert alert;
  alert.rule = "Lag";
  alert.labels = weir::core::Labels{{"alertname", "Lag"}, {"cluster", "p<r>od"}, {"odd", "{{ \"\\"}};
  alert.annotations = weir::core::Labels{{"summary", "it is & behind"}};
  alert.state = weir::core::AlertState::firing;
  alert.fired_at = weir::core::Time(std::chrono::seconds(1'700'000'000));
  weir::core::Alert over = alert;
  over.state = weir::core::AlertState::inactive;
  over.resolved_at = weir::core::Time(std::chrono::seconds(1'700'000'100));
  return {.receiver = "team",
          .status = "firing",
          .group_key = "{}",
          .group_labels = weir::core::Labels{{"cluster", "p<r>od"}},
          .incident_id = "00aa",
          .incident_title = "t",
          .cause = "c",
          .alerts = {alert, over},
          .evidence = {"one", "two"}};
}

}  // namespace

// A message's text that parses expands to bounded text or an error, as text and as HTML; so do definitions.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using weir::templates::Template;
  static const weir::core::Notification kAbout = notification();
  static const weir::templates::TemplateValue kData = weir::notify::message_data(kAbout, "http://weir");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  weir::config::Diagnostics diagnostics;
  weir::templates::TemplateLibrary library = weir::notify::parse_templates(nullptr, diagnostics);
  (void)library.add(text);
  const auto parsed = Template::parse_message(text, library);
  if (!parsed) return 0;
  const weir::core::Time now(std::chrono::seconds(1'700'000'200));
  for (const auto output : {weir::templates::TemplateOutput::text, weir::templates::TemplateOutput::html}) {
    const auto expanded = parsed->expand_message(kData, now, output);
    if (expanded && expanded->size() > Template::kMaxOutput) std::abort();
  }
  return 0;
}
