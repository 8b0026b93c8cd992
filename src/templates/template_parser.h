#pragma once

#include <string_view>

#include "core/error.h"

#include "templates/template_tree.h"

namespace weir::templates {

/// Reads a text in Go's text/template language. Errors: invalid, `where` is "line:col".
core::Result<Template::Tree> parse_template(std::string_view text, TemplateUse use);

}  // namespace weir::templates
