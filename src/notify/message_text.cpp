#include "notify/message_text.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <glob.h>

#include "config/yaml_place.h"
#include "notify/payload.h"

#include "templates/template_message.h"

namespace weir::notify {
namespace {

using templates::TemplateKv;
using templates::TemplateOutput;
using templates::TemplateValue;

constexpr std::size_t kMaxFile = 1U << 20U;
constexpr std::size_t kMaxProblems = 500;

/// Alertmanager's names for its default texts, as Weir tells them. What Weir's layout shows anyway is empty.
constexpr std::string_view kOwnTexts = R"(
{{- define "__alertmanager" }}Weir{{ end }}
{{- define "__alertmanagerURL" }}{{ .Incident.URL }}{{ end }}
{{- define "__subject" }}{{ .Incident.Headline }}{{ end }}
{{- define "__description" }}{{ .Incident.Cause }}{{ end }}
{{- define "__text_alert_list" }}{{ range . }}- {{ .Labels.alertname }}
{{- with .Annotations.summary }}: {{ . }}{{ end }}
{{ range .Labels.SortedPairs }}  {{ .Name }} = {{ .Value }}
{{ end }}{{ end }}{{ end }}
{{- define "__text_alert_list_markdown" }}{{ template "__text_alert_list" . }}{{ end }}
{{- define "__weir_text" }}{{ with .Incident.Cause }}{{ if ne $.Status "resolved" }}Likely cause{{ else if eq $.Incident.State "open" }}The incident goes on, likely cause{{ else }}Likely cause was{{ end }}: {{ . }}

{{ end }}{{ template "__text_alert_list" .Alerts }}{{ with .Incident.URL }}
{{ . }}{{ end }}{{ end }}
{{- define "slack.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "slack.default.username" }}{{ template "__alertmanager" . }}{{ end }}
{{- define "slack.default.fallback" }}{{ template "__subject" . }}{{ end }}
{{- define "slack.default.titlelink" }}{{ .Incident.URL }}{{ end }}
{{- define "slack.default.callbackid" }}{{ end }}
{{- define "slack.default.pretext" }}{{ end }}
{{- define "slack.default.iconemoji" }}{{ end }}
{{- define "slack.default.iconurl" }}{{ end }}
{{- define "slack.default.text" }}{{ end }}
{{- define "slack.default.footer" }}{{ end }}
{{- define "pagerduty.default.description" }}{{ template "__subject" . }}{{ end }}
{{- define "pagerduty.default.client" }}{{ template "__alertmanager" . }}{{ end }}
{{- define "pagerduty.default.clientURL" }}{{ .Incident.URL }}{{ end }}
{{- define "pagerduty.default.instances" }}{{ template "__text_alert_list" . }}{{ end }}
{{- define "opsgenie.default.message" }}{{ template "__subject" . }}{{ end }}
{{- define "opsgenie.default.description" }}{{ template "__weir_text" . }}{{ end }}
{{- define "opsgenie.default.source" }}{{ template "__alertmanager" . }}{{ end }}
{{- define "email.default.subject" }}{{ template "__subject" . }}{{ end }}
{{- define "email.default.html" }}<h3>{{ template "__subject" . }}</h3><pre>{{ template "__weir_text" . }}</pre>{{ end }}
{{- define "msteams.default.summary" }}{{ template "__subject" . }}{{ end }}
{{- define "msteams.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "msteams.default.text" }}{{ end }}
)";

std::vector<std::string> files_of(const config::Node& pattern, config::Diagnostics& diagnostics) {
  std::filesystem::path path(config::expand_environment(pattern, diagnostics));
  if (path.is_relative()) path = std::filesystem::path(pattern.position().file).parent_path() / path;
  ::glob_t found{};
  std::vector<std::string> files;
  if (::glob(path.c_str(), 0, nullptr, &found) == 0) files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return files;
}

/// "3:14" of a file.
config::Position place_in(const std::string& file, const std::string& inner) {
  config::Position place{.file = file, .line = 1, .column = 1};
  const std::size_t colon = inner.find(':');
  if (colon == std::string::npos) return place;
  place.line = std::atoi(inner.c_str());
  place.column = std::atoi(inner.c_str() + colon + 1);
  return place;
}

void add_file(const std::string& file, const config::Node& named, templates::TemplateLibrary& library,
              config::Diagnostics& diagnostics) {
  const auto text = config::read_file(file, kMaxFile);
  if (!text || text->size() > kMaxFile) {
    const std::string why = text ? fmt::format("is larger than {} bytes", kMaxFile) : text.error().message;
    diagnostics.error(named.position(), fmt::format("templates: {}: {}", file, why));
    return;
  }
  if (auto added = library.add(*text); !added)
    diagnostics.error(place_in(file, added.error().where), fmt::format("template: {}", added.error().message));
}

TemplateValue time_or_none(const std::optional<core::Time>& time) {
  return templates::TemplateTime{time.value_or(templates::kTemplateNoTime)};
}

TemplateValue alert_data(const core::Alert& alert, const std::string& link) {
  const bool firing = alert.state == core::AlertState::firing;
  return templates::template_object("template.Alert",
                                    {{"Status", std::string(status_of(alert))},
                                     {"Labels", TemplateKv{alert.labels}},
                                     {"Annotations", TemplateKv{alert.annotations}},
                                     {"StartsAt", time_or_none(alert.fired_at.value_or(alert.active_at))},
                                     {"EndsAt", time_or_none(firing ? std::nullopt : alert.resolved_at)},
                                     {"GeneratorURL", link},
                                     {"Fingerprint", fmt::format("{:016x}", alert.fingerprint)}});
}

std::string owner_of(const core::Notification& notification) {
  if (!notification.owner.empty()) return notification.owner;
  return std::string(common_annotations(notification.alerts).get("pipeline_owner"));
}

}  // namespace

templates::TemplateValue message_data(const core::Notification& notification, const std::string& external_url) {
  const std::string link = page_link(external_url, notification.incident_id);
  std::vector<TemplateValue> alerts;
  for (const core::Alert& alert : notification.alerts) alerts.push_back(alert_data(alert, link));
  TemplateValue incident =
      templates::template_object("weir.Incident", {{"ID", notification.incident_id},
                                                   {"State", notification.incident_state},
                                                   {"Title", title_of(notification)},
                                                   {"Headline", headline(notification)},
                                                   {"Cause", notification.cause},
                                                   {"Evidence", templates::template_texts(notification.evidence)},
                                                   {"Owner", owner_of(notification)},
                                                   {"URL", link}});
  return templates::template_object("*template.Data",
                                    {{"Receiver", notification.receiver},
                                     {"Status", notification.status},
                                     {"Alerts", templates::template_list("template.Alerts", std::move(alerts))},
                                     {"GroupLabels", TemplateKv{notification.group_labels}},
                                     {"CommonLabels", TemplateKv{common_labels(notification.alerts)}},
                                     {"CommonAnnotations", TemplateKv{common_annotations(notification.alerts)}},
                                     {"ExternalURL", external_url},
                                     {"Incident", std::move(incident)}});
}

/// Data as any message has, with an item in every list.
TemplateValue sample_data() {
  core::Notification sample{.receiver = "a",
                            .status = "firing",
                            .group_key = "{}",
                            .group_labels = {{"alertname", "A"}},
                            .incident_id = "0",
                            .incident_title = "A",
                            .cause = "a",
                            .alerts = {},
                            .evidence = {"a"}};
  for (const core::AlertState state : {core::AlertState::firing, core::AlertState::inactive}) {
    core::Alert alert;
    alert.labels = {{"alertname", "A"}};
    alert.annotations = {{"summary", "a"}};
    alert.state = state;
    sample.alerts.push_back(std::move(alert));
  }
  return message_data(sample, "http://weir");
}

templates::TemplateLibrary parse_templates(const config::Node* section, config::Diagnostics& diagnostics) {
  templates::TemplateLibrary library;
  if (const auto own = library.add(kOwnTexts); !own)
    diagnostics.error({}, fmt::format("Weir's own templates, {}: {}", own.error().where, own.error().message));
  if (section == nullptr || section->is_null()) return library;
  if (!section->is_sequence()) {
    diagnostics.error(section->position(),
                      fmt::format("templates: expected a list of files, found {}", section->kind_name()));
    return library;
  }
  for (const config::Node& item : section->items()) {
    if (!item.is_scalar()) {
      diagnostics.error(item.position(), fmt::format("templates: expected a file, found {}", item.kind_name()));
      continue;
    }
    const std::vector<std::string> files = files_of(item, diagnostics);
    if (files.empty()) diagnostics.hint(item.position(), fmt::format("templates: no file matches \"{}\"", item.text()));
    for (const std::string& file : files) add_file(file, item, library, diagnostics);
  }
  if (const std::string missing = library.undefined_call(); !missing.empty())
    diagnostics.error(section->position(), fmt::format("templates: template \"{}\" is called and not defined{}",
                                                       missing, config::did_you_mean(missing, library.names())));
  return library;
}

MessageText MessageTexts::text(std::string_view key, TemplateOutput output) {
  const config::Node* node = reader_.child(key);
  if (node == nullptr || node->is_null()) return {};
  return parse(*node, key, reader_.text(key), output);
}

MessageTextMap MessageTexts::map(std::string_view key) {
  MessageTextMap texts;
  const config::Node* node = reader_.child(key);
  for (auto& [name, text] : reader_.text_map(key)) {
    const config::Node* value = node == nullptr ? nullptr : node->find(name);
    if (value != nullptr)
      texts.emplace_back(name, parse(*value, fmt::format("{}.{}", key, name), std::move(text), TemplateOutput::text));
  }
  return texts;
}

MessageText MessageTexts::parse(const config::Node& node, std::string_view key, std::string text,
                                TemplateOutput output) {
  if (text.find("{{") == std::string::npos)
    return {std::string(key), templates::Template::literal(std::move(text)), TemplateOutput::text};
  static const TemplateValue kSample = sample_data();
  auto parsed = templates::Template::parse_message(text, library_, &kSample);
  if (parsed) return {std::string(key), std::move(*parsed), output};
  const auto file = config::read_file(node.position().file);
  const config::Position place =
      file && !node.derived() ? config::YamlPlace(*file).locate(node, parsed.error().where) : node.position();
  reader_.diagnostics().error(place,
                              fmt::format("{}: \"{}\": template: {}", reader_.what(), key, parsed.error().message));
  return {};
}

std::string MessageRenderer::render(const MessageText& text) {
  if (!text.given()) return {};
  if (!data_ && !text.text_->constant()) data_ = message_data(notification_, external_url_);
  auto expanded = text.text_->expand_message(data_.value_or(TemplateValue()), now_, text.output_);
  if (expanded) return std::move(*expanded);
  if (problems_.size() < kMaxProblems) {
    problems_ += fmt::format("{}the template of \"{}\" failed: {}", problems_.empty() ? "" : "; ", text.key_,
                             cut(expanded.error().message, 200));
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> MessageRenderer::render(const MessageTextMap& texts) {
  std::vector<std::pair<std::string, std::string>> rendered;
  for (const auto& [name, text] : texts) rendered.emplace_back(name, render(text));
  return rendered;
}

}  // namespace weir::notify
