#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/labels.h"

namespace weir::rules {

/// What a rule's template may name: `$labels`, `$value`, `$externalLabels`, `$externalURL`
/// (also `.Labels`, `.Value`, `.ExternalLabels`, `.ExternalURL`).
struct TemplateData {
  core::Labels labels;
  double value = 0;
  core::Labels external_labels = {};
  std::string external_url = {};
};

/// The text of a label or an annotation in Go's text/template language with Prometheus's functions
/// (https://prometheus.io/docs/prometheus/latest/configuration/template_reference/): actions, pipelines, variables,
/// if / else if / else, with, the number, string and comparison functions. What queries or iterates (query, range,
/// define) is refused when parsed. Immutable; copies share the tree.
class Template {
 public:
  struct Tree;

  /// Errors: invalid, with `where` as "line:col" within the text. Unknown functions and undefined variables are
  /// errors here, as in Go.
  static core::Result<Template> parse(std::string_view text);

  /// A text that expands to itself, braces and all.
  static Template literal(std::string text);

  /// A label that is missing expands to nothing (Prometheus's missingkey=zero). Errors: invalid, for what Go reports
  /// while executing (wrong argument types, a field of a number); limit, for a result past kMaxOutput bytes.
  core::Result<std::string> expand(const TemplateData& data) const;

  /// True when the text has no actions: it expands to itself.
  bool constant() const;

  static constexpr std::size_t kMaxOutput = 64U << 10U;

 private:
  explicit Template(std::shared_ptr<const Tree> tree) : tree_(std::move(tree)) {}
  std::shared_ptr<const Tree> tree_;
};

}  // namespace weir::rules
