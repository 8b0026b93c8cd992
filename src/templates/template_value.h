#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/labels.h"
#include "core/time.h"

namespace weir::templates {

/// One element of what `query` gives: `.Labels`, `.Value`.
struct TemplateSample {
  core::Labels labels;
  double value = 0;
};

/// What `.` and `$` are at the top of a rule's text.
struct TemplateRoot {};

struct TemplateTime {
  core::Time value;
};

/// Go's zero time: year 1. What has not ended ends then.
inline constexpr core::Time kTemplateNoTime{core::Duration(-62'135'596'800'000)};

struct TemplateDuration {
  double seconds = 0;
};

/// Alertmanager's KV: labels with methods (SortedPairs, Names, Values, Remove).
struct TemplateKv {
  core::Labels labels;
};

/// Text that is HTML already (safeHtml).
struct TemplateHtml {
  std::string text;
};

/// A query's result; shared, as a text may hand it around.
using TemplateSamples = std::shared_ptr<const std::vector<TemplateSample>>;

/// What `args` makes: arg0, arg1 …
struct TemplateFields;
using TemplateMap = std::shared_ptr<const TemplateFields>;

/// A Go struct: asking for a field it lacks is an error.
struct TemplateStructure;
using TemplateObject = std::shared_ptr<const TemplateStructure>;

/// A Go slice.
struct TemplateItems;
using TemplateList = std::shared_ptr<const TemplateItems>;

/// A value while a template runs. Labels are Go's map[string]string, monostate is its nil.
using TemplateValue = std::variant<bool, std::int64_t, double, std::string, core::Labels, TemplateRoot, TemplateSample,
                                   TemplateSamples, TemplateMap, TemplateTime, TemplateDuration, std::monostate,
                                   TemplateKv, TemplateHtml, TemplateObject, TemplateList>;

struct TemplateFields : std::map<std::string, TemplateValue> {
  using std::map<std::string, TemplateValue>::map;
  std::size_t weight = 0;  // of all in it, about in bytes
};

struct TemplateStructure {
  std::string type;  // as Go names it
  std::map<std::string, TemplateValue, std::less<>> fields;
};

struct TemplateItems {
  std::string type;  // as Go names it: "[]string", "template.Alerts", "template.Pairs"
  std::vector<TemplateValue> items;
};

}  // namespace weir::templates
