#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "quality/contract_parts.h"

// The slaProperties of a contract.
namespace weir::quality::contract {
namespace {

using config::MapReader;
using config::Node;

/// Agreements that ask how old the newest row may be.
constexpr std::array<std::string_view, 3> kAges = {"freshness", "latency", "frequency"};
/// Those of the standard that no query answers.
constexpr std::array<std::string_view, 12> kForPeople = {
    "availability", "throughput",   "errorRate",    "generalAvailability", "endOfSupport",       "endOfLife",
    "retention",    "timeToDetect", "timeToNotify", "timeToRepair",        "timeOfAvailability", "support"};

struct UnitWord {
  std::string_view word;
  double seconds;
};
/// ISO 80000-3 and the words people write; a month is 30 days, a year 365.
constexpr std::array kUnits = {UnitWord{"s", 1},         UnitWord{"sec", 1},       UnitWord{"second", 1},
                               UnitWord{"m", 60},        UnitWord{"min", 60},      UnitWord{"minute", 60},
                               UnitWord{"h", 3600},      UnitWord{"hr", 3600},     UnitWord{"hour", 3600},
                               UnitWord{"d", 86400},     UnitWord{"day", 86400},   UnitWord{"w", 604800},
                               UnitWord{"week", 604800}, UnitWord{"mo", 2592000},  UnitWord{"month", 2592000},
                               UnitWord{"y", 31536000},  UnitWord{"yr", 31536000}, UnitWord{"year", 31536000}};

std::optional<double> seconds_of_unit(std::string unit) {
  std::ranges::transform(unit, unit.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const UnitWord& known : kUnits) {
    if (unit == known.word || unit == std::string(known.word) + "s") return known.seconds;
  }
  return std::nullopt;
}

/// "P1DT12H30M": ISO 8601.
std::optional<double> seconds_of_iso(std::string_view text) {
  if (!text.starts_with("P") || text.size() < 3) return std::nullopt;
  text.remove_prefix(1);
  bool time = false;
  double seconds = 0;
  while (!text.empty()) {
    if (text.front() == 'T') {
      time = true;
      text.remove_prefix(1);
    }
    double count = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (failed != std::errc() || end == text.data() + text.size()) return std::nullopt;
    const std::string_view letters = time ? "HMS" : "YMWD";
    static constexpr std::array kTime = {3600.0, 60.0, 1.0};
    static constexpr std::array kDate = {31536000.0, 2592000.0, 604800.0, 86400.0};
    const std::size_t which = letters.find(*end);
    if (which == std::string_view::npos) return std::nullopt;
    seconds += count * (time ? kTime[which] : kDate[which]);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  }
  return seconds;
}

/// As check files write durations: "1d12h", "90s".
std::string duration_text(double seconds) {
  auto rest = static_cast<long long>(std::llround(seconds));
  std::string text;
  for (const auto& [unit, size] :
       {std::pair{'d', 86400LL}, std::pair{'h', 3600LL}, std::pair{'m', 60LL}, std::pair{'s', 1LL}}) {
    if (rest >= size) text += fmt::format("{}{}", rest / size, unit);
    rest %= size;
  }
  return text;
}

class LevelReader {
 public:
  LevelReader(const Node& node, std::string fallback, const Names& names, std::vector<TableChecks>& tables,
              config::Diagnostics& diagnostics)
      : node_(node),
        reader_(node, diagnostics, "slaProperties"),
        fallback_(std::move(fallback)),
        names_(names),
        tables_(tables),
        diagnostics_(diagnostics) {}

  void run() {
    allow(reader_, {"id", "value", "valueExt", "unit", "element", "driver", "description", "scheduler", "schedule",
                    "customProperties", "authoritativeDefinitions"});
    const std::string property = text_of(reader_, "property");
    if (!node_.is_mapping()) return;
    if (property.empty()) return reader_.missing("property");
    if (std::ranges::find(kAges, property) != kAges.end()) {
      read_age(property);
    } else if (std::ranges::find(kForPeople, property) != kForPeople.end()) {
      diagnostics_.hint(node_.position(),
                        fmt::format("the service level \"{}\" is not checked: no query answers it", property));
    } else {
      std::vector<std::string> words(kAges.begin(), kAges.end());
      words.insert(words.end(), kForPeople.begin(), kForPeople.end());
      reader_.error("property", fmt::format("\"{}\" is not known{}; checked are {}", property,
                                            config::did_you_mean(property, words), fmt::join(kAges, ", ")));
    }
    reader_.finish();
  }

 private:
  std::optional<double> seconds() {
    const Node* value = reader_.child("value");
    if (value == nullptr || !value->is_scalar()) {
      reader_.missing("value");
      return std::nullopt;
    }
    if (const auto iso = seconds_of_iso(value->text())) return iso;
    const auto text = number_text(*value, reader_, "value");
    if (!text) return std::nullopt;
    const std::string unit = text_of(reader_, "unit");
    const auto size = seconds_of_unit(unit);
    if (!size) {
      reader_.error("unit", unit.empty() ? std::string("is missing: d, h, min …")
                                         : fmt::format("\"{}\" is no unit of time; write d, h, min, s, w or y", unit));
      return std::nullopt;
    }
    const double seconds = std::strtod(text->c_str(), nullptr) * *size;
    if (seconds >= 1 && seconds < 1e11) return seconds;
    reader_.error("value", "must be at least a second and less than 3000 years");
    return std::nullopt;
  }

  void read_age(const std::string& property) {
    const auto age = seconds();
    const std::string elements = reader_.has("element") ? text_of(reader_, "element") : fallback_;
    if (elements.empty()) {
      return reader_.error("element", "is missing: the table and column that hold the time, as in orders.loaded_at");
    }
    if (!age) return;
    std::size_t at = 0;
    while (at <= elements.size()) {
      const std::size_t end = std::min(elements.find(',', at), elements.size());
      std::string element = elements.substr(at, end - at);
      element.erase(0, element.find_first_not_of(' '));
      element.erase(element.find_last_not_of(' ') + 1);
      add(property, element, *age);
      at = end + 1;
    }
  }

  void add(const std::string& property, const std::string& element, double age) {
    const std::size_t dot = element.rfind('.');
    const std::string table_name = dot == std::string::npos ? "" : element.substr(0, dot);
    const std::string column_name = dot == std::string::npos ? element : element.substr(dot + 1);
    const auto table = std::ranges::find_if(names_.tables, [&](const Names::Table& each) {
      return table_name.empty() ? names_.tables.size() == 1
                                : table_name == each.name || table_name == each.physical || table_name == each.id;
    });
    if (table == names_.tables.end() || column_name.empty()) {
      return reader_.error(
          "element", table_name.empty() ? fmt::format("\"{}\": name the table too, as in orders.loaded_at", element)
                                        : fmt::format("\"{}\": the contract has no table \"{}\"", element, table_name));
    }
    const std::string column = Names::column(*table, column_name);
    const std::string limit = duration_text(age);
    Extras extras;
    extras.name = fmt::format("{} of {} is below {}", property, column, limit);
    const auto index = static_cast<std::size_t>(table - names_.tables.begin());
    tables_[index].add(fmt::format("freshness({})", check_name(column)), {"< " + limit, ">= " + limit},
                       std::move(extras), node_.position());
  }

  const Node& node_;
  MapReader reader_;
  const std::string fallback_;
  const Names& names_;
  std::vector<TableChecks>& tables_;
  config::Diagnostics& diagnostics_;
};

}  // namespace

void read_service_levels(MapReader& root, const Names& names, std::vector<TableChecks>& tables) {
  const std::string fallback = text_of(root, "slaDefaultElement");
  for (const Node* level : root.list("slaProperties")) {
    LevelReader(*level, fallback, names, tables, root.diagnostics()).run();
  }
}

}  // namespace weir::quality::contract
