#pragma once

#include <compare>
#include <string>
#include <vector>

#include "rules/unit_test_file.h"

namespace weir::rules {

/// An alert as unit tests compare it.
struct AlertText {
  TextMap labels;
  TextMap annotations;
  auto operator<=>(const AlertText&) const = default;
};

/// `{a="b"}` with Prometheus's escapes.
std::string to_string(const TextMap& labels);

/// Lines with what was expected ("- ") and what came instead ("+ "); an alert with the labels of an expected one is
/// shown with the annotations that differ. Empty when the two lists hold the same.
std::vector<std::string> diff_alerts(std::vector<AlertText> expected, std::vector<AlertText> got);

/// A sample as unit tests compare it: its labels, its value as text, whether it was found on the other side.
struct SampleText {
  std::string metric;
  std::string value;
  bool matched = false;
};
std::vector<std::string> diff_samples(const std::vector<SampleText>& expected, const std::vector<SampleText>& got);

}  // namespace weir::rules
