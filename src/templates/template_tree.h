#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "templates/template.h"

namespace weir::templates {

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

using TemplateDefinitions = std::map<std::string, TemplateBlock, std::less<>>;

/// A template that is named, to be looked up when the text is expanded.
struct TemplateCall {
  std::string name;
  std::size_t offset = 0;
};

struct Template::Tree {
  TemplateBlock block;
  TemplateDefinitions defined;
  std::vector<TemplateCall> calls = {};
  std::shared_ptr<const TemplateDefinitions> library = {};  // asked for what is not defined here
};

/// Variables that exist before a rule's text begins; a message's has `$` alone.
inline constexpr std::string_view kTemplateVariables[] = {"$", "$labels", "$value", "$externalLabels", "$externalURL"};

}  // namespace weir::templates
