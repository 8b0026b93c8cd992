#include "app/measurement_export.h"

#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

namespace weir::app {
namespace {

std::string written(ExportFormat format, const std::vector<core::Measurement>& measurements) {
  std::ostringstream out;
  MeasurementWriter writer(out, format);
  for (const core::Measurement& each : measurements) writer.write(each);
  writer.finish();
  return out.str();
}

const core::Time kTime = core::time_from_seconds(1'700'000'000);

TEST(MeasurementExport, CsvHasAHeaderAndQuotesWhatNeedsIt) {
  EXPECT_EQ(written(ExportFormat::csv, {}), "check,time,value,mark,feedback\r\n");
  EXPECT_EQ(written(ExportFormat::csv, {{"wh/orders/row_count", kTime, 4210},
                                        {"a,\"b\"\nc", kTime, 0.1, core::Mark::anomalous, core::Feedback::fine}}),
            "check,time,value,mark,feedback\r\n"
            "wh/orders/row_count,2023-11-14T22:13:20.000Z,4210,,\r\n"
            "\"a,\"\"b\"\"\nc\",2023-11-14T22:13:20.000Z,0.1,anomalous,fine\r\n");
}

TEST(MeasurementExport, JsonIsOneArrayWhateverTheNamesAndValuesAre) {
  EXPECT_EQ(nlohmann::json::parse(written(ExportFormat::json, {})).size(), 0U);
  const auto read = nlohmann::json::parse(
      written(ExportFormat::json,
              {{"quote \" and \xff byte", kTime, std::numeric_limits<double>::infinity(), core::Mark::level_shift},
               {"b", kTime, 1e300, core::Mark::level_back, core::Feedback::wrong}}));
  ASSERT_EQ(read.size(), 2U);
  EXPECT_TRUE(read[0]["value"].is_null());
  EXPECT_EQ(read[0]["mark"], "level_shift");
  EXPECT_EQ(read[1]["value"], 1e300);
  EXPECT_EQ(read[1]["feedback"], "wrong");
  EXPECT_EQ(read[1]["time"], "2023-11-14T22:13:20.000Z");
}

}  // namespace
}  // namespace weir::app
