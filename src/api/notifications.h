#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/dispatch.h"
#include "core/error.h"
#include "core/silence.h"

namespace weir::api {

/// What the routes of Alertmanager's API need; filled in by app/. Its functions may be called on any thread.
struct Notifications {
  std::function<std::shared_ptr<const core::NotificationView>()> view = {};
  std::function<std::vector<core::Silence>()> silences = {};
  /// Errors: invalid, not_found, limit, storage.
  std::function<core::Result<std::string>(core::Silence)> set_silence = {};
  std::function<core::Result<void>(const std::string& id)> expire_silence = {};
  /// What somebody else told people of alerts with these labels. Errors: unavailable.
  std::function<core::Result<void>(std::vector<core::Labels> alerts, std::string text)> told = {};
  /// `severity="critical"`, as in a filter. Errors: invalid.
  std::function<core::Result<std::vector<core::Matcher>>(const std::string& text)> parse_matchers = {};
  /// The route tree as an alertmanager.yml, without what receivers are given.
  std::function<std::string()> config = {};
  /// Of Weir's page, without a slash at the end.
  std::string external_url = {};
};

}  // namespace weir::api
