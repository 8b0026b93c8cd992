#pragma once

#include <string>
#include <string_view>

#include "core/alert.h"
#include "core/dispatch.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/silence.h"

namespace weir::storage {

/// Core values as JSON text, for columns that are read whole. Reading errors are storage errors: the text
/// was written by Weir.
std::string write_labels(const core::Labels& labels);
/// A label as it stands within those.
std::string write_label_pair(const std::string& name, const std::string& value);
/// What a search looks into, bounded; in lower case as far as ASCII goes.
std::string write_search_text(const core::Incident& incident);
/// The same of a word: valid UTF-8 without control characters.
std::string searchable(std::string_view text);
std::string write_alert(const core::Alert& alert);
std::string write_notification(const core::Notification& notification);
/// What has no column of its own: when it began, what people did, what the cause rests on.
std::string write_incident_details(const core::Incident& incident);
/// Fills these in; what an older Weir did not write keeps its default.
core::Result<void> read_incident_details(std::string_view text, core::Incident& incident);
/// Without its key.
std::string write_group(const core::GroupRecord& record);
std::string write_silence(const core::Silence& silence);
core::Result<core::GroupRecord> read_group(std::string_view text);
core::Result<core::Silence> read_silence(std::string_view text);
core::Result<core::Labels> read_labels(std::string_view text);
core::Result<core::Alert> read_alert(std::string_view text);
core::Result<core::Notification> read_notification(std::string_view text);

}  // namespace weir::storage
