#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/deed.h"
#include "core/incident.h"
#include "core/series_source.h"

namespace weir::incidents {

struct PostmortemInput {
  const core::Incident& incident;
  std::vector<core::Node> affected = {};     // where the incident itself knows none
  std::vector<core::ToldMessage> told = {};  // oldest first
  std::vector<core::SeriesView> charts = {};
  std::string page_url = {};  // of the incident, "" for none
  core::Time now;
};

/// The most points of a chart, and charts of a report.
inline constexpr std::size_t kMostChartPoints = 120;
inline constexpr std::size_t kMostCharts = 8;

/// A report in GitHub's Markdown: what is known of the incident, and headings for what only people know. Whatever
/// labels, summaries and comments say, it stays text: it opens no cell, row, link or block.
std::string postmortem(const PostmortemInput& input);

/// Text as Markdown shows it: one line, valid UTF-8, every mark escaped.
std::string markdown_text(std::string_view text);

/// "▁▃█▂" of the values; a blank where there is none.
std::string sparkline(const std::vector<core::Point>& points);

/// At most `most` points, evenly chosen, the last one among them.
std::vector<core::Point> thinned(const std::vector<core::Point>& points, std::size_t most);

}  // namespace weir::incidents
