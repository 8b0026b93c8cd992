#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/labels.h"
#include "core/time.h"

namespace weir::rules {

/// One element of what `query` gives: `.Labels`, `.Value`.
struct TemplateSample {
  core::Labels labels;
  double value = 0;
};

/// Evaluates an expression for `query`, at the time of the evaluation.
using TemplateQuery = std::function<core::Result<std::vector<TemplateSample>>(const std::string& expression)>;

/// What a rule's template may name: `$labels`, `$value`, `$externalLabels`, `$externalURL`
/// (also `.Labels`, `.Value`, `.ExternalLabels`, `.ExternalURL`).
struct TemplateData {
  core::Labels labels;
  double value = 0;
  core::Labels external_labels = {};
  std::string external_url = {};
  TemplateQuery query = {};  // without it `query` fails
  core::Time now = {};       // for `now`
};

/// The text of a label or an annotation in Go's text/template language with Prometheus's functions
/// (https://prometheus.io/docs/prometheus/latest/configuration/template_reference/). `tmpl` is none of them here: it is
/// for consoles. Immutable; copies share the tree.
class Template {
 public:
  struct Tree;

  /// Errors: invalid, with `where` as "line:col" within the text. Unknown functions and undefined variables are
  /// errors here, as in Go.
  static core::Result<Template> parse(std::string_view text);

  /// A text that expands to itself, braces and all.
  static Template literal(std::string text);

  /// A label that is missing expands to nothing (Prometheus's missingkey=zero). Errors: invalid, for what Go reports
  /// while executing (wrong argument types, a field of a number); limit, for a result past kMaxOutput bytes, or
  /// one that takes too many steps, queries or calls.
  core::Result<std::string> expand(const TemplateData& data) const;

  /// True when the text has no actions: it expands to itself.
  bool constant() const;

  static constexpr std::size_t kMaxOutput = 64U << 10U;

 private:
  explicit Template(std::shared_ptr<const Tree> tree) : tree_(std::move(tree)) {}
  std::shared_ptr<const Tree> tree_;
};

}  // namespace weir::rules
