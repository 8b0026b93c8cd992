#pragma once

#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "core/time.h"
#include "rules/group.h"

namespace weir::rules {

/// The section `rules:` of weir.yml.
struct RuleSettings {
  std::vector<std::string> files;                      // globs expanded, in order, each once
  core::Duration interval = std::chrono::seconds(15);  // of groups that name none
};

/// Reads `{files: [globs], interval}`. Paths are relative to the file the node comes from; a glob that matches no
/// file is a mistake.
RuleSettings parse_rules_section(const config::Node& node, config::Diagnostics& diagnostics);

/// Loads rule files in Prometheus's format. Everything that is wrong is noted with its place; a rule with a mistake is
/// left out of the result, which is for use only when the diagnostics are ok.
std::vector<Group> load(const std::vector<std::string>& files, config::Diagnostics& diagnostics,
                        core::Duration default_interval = std::chrono::seconds(15));

/// The same for the text of one file.
std::vector<Group> load_text(const std::string& text, const std::string& file, config::Diagnostics& diagnostics,
                             core::Duration default_interval = std::chrono::seconds(15));

}  // namespace weir::rules
