#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "quality/anomaly_suite.h"

/// Prints the table of checks/anomaly.md and writes its picture: anomaly_report checks/anomaly.svg
/// With --tuning after it the other half of the seeds, which the detector is tuned by.
namespace weir::quality::anomaly::suite {
namespace {

struct Row {
  std::string name;
  std::array<Score, 4> scores;  // Weir, Elementary 14 and 30, re_data
};
constexpr std::array<const char*, 4> kNames{"Weir", "Elementary, 14 days", "Elementary, 30 days",
                                            "re_data, modified z"};
constexpr std::array<const char*, 4> kColours{"#2563eb", "#f59e0b", "#d97706", "#94a3b8"};

Row judge(Scenario scenario, Half half) {
  Row row{to_string(scenario), {}};
  for (std::size_t number = 0; number < series_of(scenario); ++number) {
    const Series series = make(scenario, half, number);
    row.scores[0].add(score(series, weir(series, row_counts())));
    row.scores[1].add(score(series, elementary(series, 14)));
    row.scores[2].add(score(series, elementary(series, 30)));
    row.scores[3].add(score(series, re_data(series)));
  }
  return row;
}

std::string percent(std::size_t part, std::size_t whole) {
  if (whole == 0) return "–";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text.data();
}

void print_scenarios(const std::vector<Row>& rows) {
  std::printf(
      "| series | | recall: Weir | Elementary 14 d / 30 d | re_data | false alarms in 30 days: Weir | Elementary | "
      "re_data |\n");
  std::printf("|---|---|---|---|---|---|---|---|\n");
  for (const Row& row : rows) {
    const auto& [own, two_weeks, month, modified] = row.scores;
    const bool small = own.incidents == 0;
    const auto recall = [&](const Score& score) {
      return small ? percent(score.small_detected, score.small) : percent(score.detected, score.incidents);
    };
    std::printf("| %s | %zu | %s | %s / %s | %s | %.2f | %.2f / %.2f | %.2f |\n", row.name.c_str(), own.series,
                recall(own).c_str(), recall(two_weeks).c_str(), recall(month).c_str(), recall(modified).c_str(),
                own.false_alarms_a_month(), two_weeks.false_alarms_a_month(), month.false_alarms_a_month(),
                modified.false_alarms_a_month());
  }
}

void print_totals(const Row& all) {
  std::printf(
      "\n| all series | incidents of 50 %% or more found | at their points | small ones found | precision | false "
      "alarms in 30 days | after a level shift, on average | at most |\n");
  std::printf("|---|---|---|---|---|---|---|---|\n");
  for (std::size_t i = 0; i < all.scores.size(); ++i) {
    const Score& score = all.scores[i];
    std::printf("| %s | %s (%zu of %zu) | %s | %s | %.3f | %.3f | %.2f | %zu |\n", kNames[i],
                percent(score.detected, score.incidents).c_str(), score.detected, score.incidents,
                percent(score.points_detected, score.points).c_str(),
                percent(score.small_detected, score.small).c_str(), score.precision(), score.false_alarms_a_month(),
                static_cast<double>(score.after_shift) / static_cast<double>(score.shifts), score.most_after_shift);
  }
}

std::string text(double x, double y, const std::string& words, const char* more = "") {
  std::array<char, 96> place{};
  std::snprintf(place.data(), place.size(), "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, more);
  return place.data() + words + "</text>\n";
}

std::string shape(const char* format, double a, double b, double c, double d, const char* colour) {
  std::array<char, 200> made{};
  std::snprintf(made.data(), made.size(), format, a, b, c, d, colour);
  return made.data();
}

std::string bars(const std::vector<Row>& rows, double left, const char* title, double most,
                 double (*value)(const Score&)) {
  std::string svg = text(left, 24, title, "font-weight=\"bold\"");
  double y = 40;
  for (const Row& row : rows) {
    svg += text(left - 6, y + 18, row.name, "text-anchor=\"end\"");
    for (std::size_t i = 0; i < row.scores.size(); ++i) {
      const double width = std::min(value(row.scores[i]) / most, 1.0) * 260;
      svg += shape("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", left, y, width + 0.5,
                   6, kColours[i]);
      y += 7;
    }
    y += 8;
  }
  return svg;
}

double recall_of(const Score& score) {
  if (score.incidents > 0) return score.recall();
  return static_cast<double>(score.small_detected) / static_cast<double>(score.small);
}

/// One series with what Weir expected of it.
std::string curve(const Series& series, double top) {
  const Alarmed alarmed = weir(series, row_counts());
  double highest = 0;
  for (const Truth& truth : series.points) highest = std::max(highest, truth.value);
  const double step = 880 / static_cast<double>(series.points.size());
  const auto x = [&](std::size_t i) { return 20 + step * static_cast<double>(i); };
  const auto y = [&](double value) { return top + 150 - std::min(value / highest, 1.1) * 140; };
  std::string line, upper, lower, dots;
  for (std::size_t i = 0; i < series.points.size(); ++i) {
    const Truth& truth = series.points[i];
    const Assessment& found = alarmed.assessments[i];
    line += shape("%.1f,%.1f ", x(i), y(truth.value), 0, 0, "");
    if (found.judged()) {
      upper += shape("%.1f,%.1f ", x(i), y(found.high), 0, 0, "");
      lower.insert(0, shape("%.1f,%.1f ", x(i), y(found.low), 0, 0, ""));
    }
    const char* colour = truth.incident >= 0 ? (alarmed.points[i] ? "#dc2626" : "#000000") : "#f59e0b";
    if (truth.incident < 0 && !alarmed.points[i]) continue;
    dots += shape("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill-opacity=\"%.1f\" fill=\"%s\"/>\n", x(i),
                  y(truth.value), 3, 1, colour);
  }
  return text(20, top - 4, to_string(series.scenario), "font-weight=\"bold\"") + "<polygon fill=\"#bfdbfe\" points=\"" +
         upper + lower + "\"/>\n<polyline fill=\"none\" stroke=\"#334155\" points=\"" + line + "\"/>\n" + dots;
}

std::string picture(const std::vector<Row>& rows, Half half) {
  const double height = 40 + 36 * static_cast<double>(rows.size());
  std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"920\" height=\"" +
      std::to_string(static_cast<int>(height) + 620) +
      "\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  svg += bars(rows, 150, "incidents found", 1, recall_of);
  svg += bars(rows, 600, "false alarms in 30 days (to 2)", 2, [](const Score& s) { return s.false_alarms_a_month(); });
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const double left = 150 + 180 * static_cast<double>(i);
    svg += shape("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", left, height + 6, 10, 10,
                 kColours[i]);
    svg += text(left + 14, height + 15, kNames[i]);
  }
  double top = height + 60;
  for (const Scenario scenario : {Scenario::gaussian, Scenario::level_shift, Scenario::month_end}) {
    svg += curve(make(scenario, half, 0), top);
    top += 180;
  }
  svg += text(20, top, "blue: expected range; red: incident found; black: incident missed; yellow: alarm without one");
  return svg + "</svg>\n";
}

int run(const std::string& file, Half half) {
  std::vector<Row> rows;
  Row all{"all", {}};
  for (const Scenario scenario : scenarios()) {
    rows.push_back(judge(scenario, half));
    for (std::size_t i = 0; i < all.scores.size(); ++i) all.scores[i].add(rows.back().scores[i]);
  }
  print_scenarios(rows);
  print_totals(all);
  std::ofstream out(file);
  out << picture(rows, half);
  return out.flush() ? 0 : 1;
}

}  // namespace
}  // namespace weir::quality::anomaly::suite

int main(int count, char** arguments) {
  using weir::quality::anomaly::suite::Half;
  if (count < 2) {
    std::fprintf(stderr, "usage: anomaly_report <picture.svg> [--tuning]\n");
    return 2;
  }
  const bool tuning = count > 2 && std::string(arguments[2]) == "--tuning";
  return weir::quality::anomaly::suite::run(arguments[1], tuning ? Half::tuning : Half::reported);
}
