#include <chrono>
#include <cmath>
#include <limits>

#include "promql/function_groups.h"

namespace weir::promql {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

struct Date {
  year_month_day day;
  sys_days days_since_epoch;
  std::int64_t second_of_day = 0;
};

constexpr double kLatest = 9e11;  // past the years that std::chrono::year holds

template <double (*Part)(const Date&)>
double part(double value, Scalars) {
  if (!(std::abs(value) < kLatest)) return std::numeric_limits<double>::quiet_NaN();
  const std::chrono::sys_seconds at{std::chrono::seconds(static_cast<std::int64_t>(value))};
  const auto day = std::chrono::floor<days>(at);
  return Part({year_month_day(day), day, (at - day).count()});
}

double minute(const Date& date) { return static_cast<double>(date.second_of_day / 60 % 60); }
double hour(const Date& date) { return static_cast<double>(date.second_of_day / 3600); }
double day_of_week(const Date& date) { return std::chrono::weekday(date.days_since_epoch).c_encoding(); }
double day_of_month(const Date& date) { return static_cast<unsigned>(date.day.day()); }
double day_of_year(const Date& date) {
  const sys_days first = date.day.year() / std::chrono::January / 1;
  return static_cast<double>((date.days_since_epoch - first).count() + 1);
}
double days_in_month(const Date& date) {
  return static_cast<unsigned>((date.day.year() / date.day.month() / std::chrono::last).day());
}
double month(const Date& date) { return static_cast<unsigned>(date.day.month()); }
double year(const Date& date) { return static_cast<int>(date.day.year()); }

/// Of the time of the step when nothing is given.
template <double (*Part)(const Date&)>
Function date_function(std::string_view name) {
  return {.name = name, .arguments = {ValueType::vector}, .optional = 1, .map = part<Part>};
}

}  // namespace

std::vector<Function> date_functions() {
  return {date_function<minute>("minute"),
          date_function<hour>("hour"),
          date_function<day_of_week>("day_of_week"),
          date_function<day_of_month>("day_of_month"),
          date_function<day_of_year>("day_of_year"),
          date_function<days_in_month>("days_in_month"),
          date_function<month>("month"),
          date_function<year>("year")};
}

}  // namespace weir::promql
