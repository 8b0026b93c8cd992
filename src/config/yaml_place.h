#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"

namespace weir::config {

/// Finds the place in a YAML file of a character inside a scalar: what a mistake in an expression needs.
class YamlPlace {
 public:
  explicit YamlPlace(std::string_view text);

  /// `inner` is "line:col" within the scalar's value, from 1. Exact for plain and quoted scalars on one line and for
  /// literal blocks; the right line at best for folded ones; the scalar's own place where nothing better is known.
  Position locate(const Node& scalar, std::string_view inner) const;

 private:
  Position in_block(const Node& scalar, int line, int column) const;
  Position in_folded(const Node& scalar, std::size_t first_line, int column) const;
  std::string_view line(std::size_t number) const;  // from 1

  std::vector<std::string_view> lines_;
};

}  // namespace weir::config
