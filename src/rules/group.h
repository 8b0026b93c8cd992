#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "core/labels.h"
#include "core/series_source.h"
#include "core/time.h"
#include "promql/parser.h"

#include "templates/template.h"

namespace weir::rules {

using templates::Template;
using templates::TemplateData;
using templates::TemplateQuery;
using templates::TemplateSample;

/// What happens to an active alert whose data no longer come. The annotation `weir_no_data` of a rule says which.
enum class NoData {
  keep,     // stays as it is
  alert,    // taken as if the condition still held: pending goes on to firing
  resolve,  // Prometheus's way: no data is no alert
};

/// What happens to the active alerts of a rule that cannot be evaluated, or passes its group's limit. The annotation
/// `weir_on_error` of a rule says which.
enum class OnError {
  keep,     // stay as they are
  alert,    // taken as if the condition still held: pending goes on to firing
  resolve,  // end
};

/// What it means for the expression's result that a selector finds nothing.
enum class SelectorRole {
  required,     // the result lacks elements
  alternative,  // an operand of `or`: the other one may do
  irrelevant,   // behind `unless`: the result has more elements, not fewer
};

/// One vector selector of a rule's expression, with what it takes to tell missing data from a false condition.
struct SelectorUse {
  std::vector<core::Matcher> matchers;
  core::Duration range{};  // of a range selector or the subqueries around it; 0 for an instant selector
  core::Duration offset{};
  std::size_t least_points = 1;  // 2 under functions that need two, such as rate
  SelectorRole role = SelectorRole::required;
};

struct TemplatedText {
  std::string name;
  std::string text;  // as written
  Template value;
};

struct Rule {
  enum class Kind { recording, alerting };
  Kind kind = Kind::alerting;
  std::string name;        // the alert's name or the recorded metric's
  std::string expression;  // as written
  std::shared_ptr<const promql::Expr> expr;
  core::Duration hold{};  // `for`
  core::Duration keep_firing_for{};
  std::vector<TemplatedText> labels;       // the group's among them; templates in alerting rules only
  std::vector<TemplatedText> annotations;  // without weir_no_data and weir_on_error
  core::Labels constant_labels;            // those of `labels` that hold no template
  NoData no_data = NoData::keep;
  OnError on_error = OnError::keep;
  std::vector<SelectorUse> selectors;
  std::vector<std::string> rewritten_labels;  // set by label_replace and the like: say nothing about the series
  config::Position position;

  bool alerting() const { return kind == Kind::alerting; }
};

struct Group {
  std::string name;
  std::string file;
  core::Duration interval{};
  core::Duration query_offset{};
  std::size_t limit = 0;  // of alerts or recorded series a rule, 0 is none
  std::vector<Rule> rules;

  /// Unique among all groups: "file;name", as Prometheus names it in rule_group labels.
  std::string key() const { return file + ";" + name; }
};

}  // namespace weir::rules
