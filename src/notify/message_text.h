#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/reader.h"
#include "core/incident.h"
#include "core/time.h"

#include "templates/template.h"

namespace weir::notify {

/// A text of a receiver's: fixed, or a template over Alertmanager's data (see MessageRenderer). Nothing where it was
/// not given: Weir's own text is told then.
class MessageText {
 public:
  MessageText() = default;
  /// `key` names it in messages. Without a library only Weir's own definitions may be called.
  MessageText(std::string key, templates::Template text, templates::TemplateOutput output)
      : key_(std::move(key)), text_(std::move(text)), output_(output) {}

  bool given() const { return text_.has_value(); }

 private:
  friend class MessageRenderer;
  std::string key_;
  std::optional<templates::Template> text_;
  templates::TemplateOutput output_ = templates::TemplateOutput::text;
};

using MessageTextMap = std::vector<std::pair<std::string, MessageText>>;

/// Reads the texts of one receiver's entry. Mistakes in templates have their place in the file.
class MessageTexts {
 public:
  /// Both outlive it.
  MessageTexts(config::MapReader& reader, const templates::TemplateLibrary& library)
      : reader_(reader), library_(library) {}

  MessageText text(std::string_view key, templates::TemplateOutput output = templates::TemplateOutput::text);
  /// A mapping of names to texts.
  MessageTextMap map(std::string_view key);

 private:
  MessageText parse(const config::Node& node, std::string_view key, std::string text, templates::TemplateOutput output);

  config::MapReader& reader_;
  const templates::TemplateLibrary& library_;
};

/// The definitions of the files under `templates:` (globs, relative to the configuration), and under the names of
/// Alertmanager's default.tmpl Weir's own texts, so that what is pasted finds them.
templates::TemplateLibrary parse_templates(const config::Node* section, config::Diagnostics& diagnostics);

/// Expands the texts for one message. A template that fails is told of in problems(), and gives "", for Weir's own.
class MessageRenderer {
 public:
  /// All outlive it.
  MessageRenderer(const core::Notification& notification, const std::string& external_url, core::Time now)
      : notification_(notification), external_url_(external_url), now_(now) {}

  /// "" where it was not given.
  std::string render(const MessageText& text);
  std::vector<std::pair<std::string, std::string>> render(const MessageTextMap& texts);

  /// `the template of "title" failed: …`, one line; "" when all went well.
  const std::string& problems() const { return problems_; }
  /// The same as a paragraph to be put below a text; "" when all went well.
  std::string note() const { return problems_.empty() ? std::string() : "\n\n(" + problems_ + ")"; }

 private:
  const core::Notification& notification_;
  const std::string& external_url_;
  core::Time now_;
  std::optional<templates::TemplateValue> data_;  // made for the first that asks
  std::string problems_;
};

/// What `.` is: Alertmanager's template.Data (https://prometheus.io/docs/alerting/latest/notifications/#data), and
/// `.Incident` with ID, State, Title, Headline, Cause, Evidence, Owner, URL.
templates::TemplateValue message_data(const core::Notification& notification, const std::string& external_url);

}  // namespace weir::notify
