#pragma once

#include <optional>
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

/// How the parts of a rule file are read that Prometheus does not know.
enum class Dialect {
  weir,        // weir_no_data and weir_on_error are taken out of the annotations and obeyed; the same rule twice is a
               // mistake, and so is an expression whose result is neither a vector nor a scalar
  prometheus,  // both are annotations like others; the same rule twice is evaluated twice; any result is taken
};

/// The text of a file, cut one byte past `most_bytes`, which shows that it is too large; one that cannot be read is a
/// diagnostic.
std::optional<std::string> read_text_file(const std::string& file, config::Diagnostics& diagnostics,
                                          std::size_t most_bytes = config::YamlLimits{}.bytes);

/// Files that a pattern (glob) names, relative to the folder of `file`, where it stands; in the order of names.
std::vector<std::string> expand_glob(const std::string& pattern, const std::string& file);

/// Loads rule files in Prometheus's format. Everything that is wrong is noted with its place; a rule with a mistake is
/// left out of the result, which is for use only when the diagnostics are ok.
std::vector<Group> load(const std::vector<std::string>& files, config::Diagnostics& diagnostics,
                        core::Duration default_interval = std::chrono::seconds(15), Dialect dialect = Dialect::weir);

/// The same for the text of one file.
std::vector<Group> load_text(const std::string& text, const std::string& file, config::Diagnostics& diagnostics,
                             core::Duration default_interval = std::chrono::seconds(15),
                             Dialect dialect = Dialect::weir);

}  // namespace weir::rules
