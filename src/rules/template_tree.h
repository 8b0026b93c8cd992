#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/labels.h"
#include "rules/template.h"

namespace weir::rules {

/// What `.` and `$` are at the top.
struct TemplateRoot {};

struct TemplateTime {
  core::Time value;
};

struct TemplateDuration {
  double seconds = 0;
};

/// A query's result; shared, as a text may hand it around.
using TemplateSamples = std::shared_ptr<const std::vector<TemplateSample>>;

/// What `args` makes: arg0, arg1 …
struct TemplateFields;
using TemplateMap = std::shared_ptr<const TemplateFields>;

/// A value while a template runs. Labels are Go's map[string]string, monostate is its nil.
using TemplateValue = std::variant<bool, std::int64_t, double, std::string, core::Labels, TemplateRoot, TemplateSample,
                                   TemplateSamples, TemplateMap, TemplateTime, TemplateDuration, std::monostate>;

struct TemplateFields : std::map<std::string, TemplateValue> {
  using std::map<std::string, TemplateValue>::map;
  std::size_t weight = 0;  // of all in it, about in bytes
};

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

/// Commands joined by `|`; with `variable` the value is bound (`:=` declares, `=` assigns) instead of printed. A range
/// may bind two, the key and the element.
struct TemplatePipeline {
  std::string variable;
  std::string second;
  bool declares = false;
  std::vector<TemplateCommand> commands;
};

struct TemplateStatement;
using TemplateBlock = std::vector<TemplateStatement>;

struct TemplateStatement {
  enum class Kind { text, action, branch, with, range, call, next, leave };
  Kind kind = Kind::text;
  std::string text;  // or the name of the template that a `call` names
  TemplatePipeline pipeline;
  TemplateBlock body;
  TemplateBlock otherwise;
};

struct Template::Tree {
  TemplateBlock block;
  std::map<std::string, TemplateBlock> defined;
};

/// Variables that exist before the text begins.
inline constexpr std::string_view kTemplateVariables[] = {"$", "$labels", "$value", "$externalLabels", "$externalURL"};

}  // namespace weir::rules
