#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/labels.h"
#include "core/time.h"

#include "templates/template_value.h"

namespace weir::templates {

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

/// What a text is for: a rule's label or annotation, or what receivers are told. Messages may also call Alertmanager's
/// functions, and have no variable but `$`.
enum class TemplateUse { rule, message };

/// How values become text: as they are, or escaped as Go's html/template does within text and quoted attributes.
enum class TemplateOutput { text, html };

/// Definitions (`{{ define "name" }}`) that several texts share, as Alertmanager's `templates:` files hold.
class TemplateLibrary {
 public:
  struct Definitions;
  TemplateLibrary();

  /// What `text` defines, instead of what had these names. Errors: invalid, with `where` as "line:col" within the text.
  core::Result<void> add(std::string_view text);
  bool defines(std::string_view name) const;
  std::vector<std::string> names() const;
  /// A name that definitions call and nothing defines; "" when there is none. Asked when all were added.
  std::string undefined_call() const;

 private:
  friend class Template;
  std::shared_ptr<Definitions> definitions_;
};

/// The text of a label, an annotation or a message in Go's text/template language with Prometheus's functions
/// (https://prometheus.io/docs/prometheus/latest/configuration/template_reference/). `tmpl` is none of them here: it is
/// for consoles. Immutable; copies share the tree.
class Template {
 public:
  struct Tree;

  /// Errors: invalid, with `where` as "line:col" within the text. Unknown functions and undefined variables are
  /// errors here, as in Go.
  static core::Result<Template> parse(std::string_view text);

  /// A message's text. Errors also: a template that is named and neither defined here nor in the library; a field that
  /// `sample` lacks, data such as the text will be given, every list with an item.
  static core::Result<Template> parse_message(std::string_view text, const TemplateLibrary& library,
                                              const TemplateValue* sample = nullptr);

  /// Of a rule's text that parse() took: the first field that its data lack, so that it fails whenever it gets there.
  /// `where` as above; nothing when there is none. Prometheus loads such a rule.
  std::optional<core::Error> unknown_field(std::string_view text) const;

  /// A text that expands to itself, braces and all.
  static Template literal(std::string text);

  /// A label that is missing expands to nothing (Prometheus's missingkey=zero). Errors: invalid, for what Go reports
  /// while executing (wrong argument types, a field of a number); limit, for a result past kMaxOutput bytes, or
  /// one that takes too many steps, queries or calls.
  core::Result<std::string> expand(const TemplateData& data) const;

  /// A message's: `.` and `$` are `root`. Errors as above.
  core::Result<std::string> expand_message(const TemplateValue& root, core::Time now,
                                           TemplateOutput output = TemplateOutput::text) const;

  /// True when the text has no actions: it expands to itself.
  bool constant() const;

  static constexpr std::size_t kMaxOutput = 64U << 10U;

 private:
  explicit Template(std::shared_ptr<const Tree> tree) : tree_(std::move(tree)) {}
  std::shared_ptr<const Tree> tree_;
};

}  // namespace weir::templates
