#include "rules/unit_test_diff.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "core/labels.h"

namespace weir::rules {
namespace {

using Lines = std::vector<std::string>;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  core::append_escaped(out, text);
  return out + '"';
}

void show(char sign, const AlertText& alert, Lines& lines) {
  lines.push_back(fmt::format("{} {}", sign, to_string(alert.labels)));
  for (const auto& [name, text] : alert.annotations)
    lines.push_back(fmt::format("{}     {}: {}", sign, name, quoted(text)));
}

void show_annotations(const AlertText& expected, const AlertText& got, Lines& lines) {
  lines.push_back("  " + to_string(expected.labels));
  TextMap names = expected.annotations;
  names.insert(got.annotations.begin(), got.annotations.end());
  for (const auto& [name, ignored] : names) {
    const auto wanted = expected.annotations.find(name);
    const auto found = got.annotations.find(name);
    const bool both = wanted != expected.annotations.end() && found != got.annotations.end();
    if (both && wanted->second == found->second) continue;
    if (wanted != expected.annotations.end())
      lines.push_back(fmt::format("-     {}: {}", name, quoted(wanted->second)));
    if (found != got.annotations.end()) lines.push_back(fmt::format("+     {}: {}", name, quoted(found->second)));
  }
}

std::vector<AlertText> without(const std::vector<AlertText>& these, const std::vector<AlertText>& those) {
  std::vector<AlertText> rest;
  std::ranges::set_difference(these, those, std::back_inserter(rest));
  return rest;
}

}  // namespace

std::string to_string(const TextMap& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    if (out.size() > 1) out += ", ";
    out += name + "=" + quoted(value);
  }
  return out + "}";
}

Lines diff_alerts(std::vector<AlertText> expected, std::vector<AlertText> got) {
  std::ranges::sort(expected);
  std::ranges::sort(got);
  const std::vector<AlertText> missing = without(expected, got);
  std::vector<AlertText> extra = without(got, expected);
  Lines lines;
  for (const AlertText& alert : missing) {
    const auto same = std::ranges::find(extra, alert.labels, &AlertText::labels);
    if (same == extra.end()) {
      show('-', alert, lines);
    } else {
      show_annotations(alert, *same, lines);
      extra.erase(same);
    }
  }
  for (const AlertText& alert : extra) show('+', alert, lines);
  return lines;
}

Lines diff_samples(const std::vector<SampleText>& expected, const std::vector<SampleText>& got) {
  Lines lines;
  for (const SampleText& sample : expected) {
    if (!sample.matched) lines.push_back(fmt::format("- {} {}", sample.metric, sample.value));
  }
  for (const SampleText& sample : got) {
    if (!sample.matched) lines.push_back(fmt::format("+ {} {}", sample.metric, sample.value));
  }
  return lines;
}

}  // namespace weir::rules
