#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"
#include "config/reader.h"
#include "core/alert.h"
#include "core/silence.h"
#include "notify/matcher.h"

namespace weir::notify {

/// While an alert fires that `source` matches, nobody is told of those that `target` matches and whose labels named in
/// `equal` are the same (one that is absent is the same as one that is empty).
struct InhibitRule {
  std::vector<LabelMatcher> source;
  std::vector<LabelMatcher> target;
  std::vector<std::string> equal;
};

/// The section `inhibit_rules:`, with the matchers of today and of before 0.22; nullptr reads as none.
std::vector<InhibitRule> parse_inhibit_rules(const config::Node* section, config::Diagnostics& diagnostics);

/// Rules that always hold: while Weir itself is cut off (alert WeirOffline) what it cannot see is no news.
std::vector<InhibitRule> own_inhibit_rules();

/// Matchers of a route, silence or rule, read from `match`, `match_re` and `matchers` with `prefix` ("source_").
std::vector<LabelMatcher> read_matchers(config::MapReader& reader, const std::string& prefix = {});

/// A silence that is ready to be asked. One whose regex cannot be compiled has no matchers, and matches nothing.
struct CompiledSilence {
  core::Silence silence;
  std::vector<LabelMatcher> matchers;
};
std::vector<CompiledSilence> compile(std::span<const core::Silence> silences);

/// What inhibits and silences at one moment. Built from the alerts that fire; asking costs no more than the rules and
/// silences that match.
class Suppressor {
 public:
  /// `rules` and `silences` outlive it; of silences only those that are active count.
  Suppressor(std::span<const InhibitRule> rules, std::span<const core::Alert* const> firing,
             std::span<const CompiledSilence> silences, core::Time now);

  core::Suppression of(const core::Labels& labels) const;

 private:
  struct Source {
    std::uint64_t fingerprint = 0;
    bool target_too = false;  // an alert that both sides match inhibits no other such
  };
  struct Rule {
    const InhibitRule* rule = nullptr;
    std::map<std::vector<std::string>, std::vector<Source>> sources;  // by the values of `equal`
  };
  static std::vector<std::string> values(const InhibitRule& rule, const core::Labels& labels);

  std::vector<Rule> rules_;
  std::vector<const CompiledSilence*> silences_;  // that are active
};

}  // namespace weir::notify
