#pragma once

#include <optional>
#include <string>

#include "templates/template_tree.h"

namespace weir::templates {

/// A field that a template takes from something that has none of that name.
struct UnknownField {
  std::string name;
  std::string message;
};

/// Walks all branches of a text with `sample` for `.` and `$`: data such as it will be given, every list with an item;
/// or TemplateRoot for a rule's text, whose variables there are then.
/// The first field that the data lack; what functions give is not known, nor are its fields.
std::optional<UnknownField> unknown_field(const Template::Tree& tree, const TemplateValue& sample);

}  // namespace weir::templates
