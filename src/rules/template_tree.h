#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/labels.h"
#include "rules/template.h"

namespace weir::rules {

/// What `.` and `$` are at the top.
struct TemplateRoot {};

/// A value while a template runs. Labels are Go's map[string]string.
using TemplateValue = std::variant<bool, std::int64_t, double, std::string, core::Labels, TemplateRoot>;

struct TemplatePipeline;

/// One word of a command, with the fields taken from it: `$labels.topic`, `.Value`, `(index $labels "a")`, `5`.
struct TemplateOperand {
  enum class Kind { literal, dot, variable, function, pipeline };
  Kind kind = Kind::literal;
  TemplateValue literal = false;
  std::string name;  // of a variable (with its $) or function
  std::shared_ptr<const TemplatePipeline> pipeline;
  std::vector<std::string> fields;
};

/// A function with its arguments, or one operand alone.
using TemplateCommand = std::vector<TemplateOperand>;

/// Commands joined by `|`; with `variable` the value is bound (`:=` declares, `=` assigns) instead of printed.
struct TemplatePipeline {
  std::string variable;
  bool declares = false;
  std::vector<TemplateCommand> commands;
};

struct TemplateStatement;
using TemplateBlock = std::vector<TemplateStatement>;

struct TemplateStatement {
  enum class Kind { text, action, branch, with };
  Kind kind = Kind::text;
  std::string text;
  TemplatePipeline pipeline;
  TemplateBlock body;
  TemplateBlock otherwise;
};

struct Template::Tree {
  TemplateBlock block;
};

/// Variables that exist before the text begins.
inline constexpr std::string_view kTemplateVariables[] = {"$", "$labels", "$value", "$externalLabels", "$externalURL"};

}  // namespace weir::rules
