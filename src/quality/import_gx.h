#pragma once

#include <string>

#include "config/diagnostics.h"
#include "config/node.h"

namespace weir::quality {

/// JSON text as a tree with places, bounded as YAML is. Beside YAML it takes the surrogate pairs of JSON's escapes.
config::Node parse_json(const std::string& text, const std::string& file, config::Diagnostics& diagnostics);

/// A Great Expectations suite (0.18 and 1.x) as a check file for a table; what cannot be said in SodaCL is an error at
/// its place, and left out. An allowance (`mostly`) becomes a percentage of all rows, which in Great Expectations is
/// one of the rows that are not null: a hint says so.
///
///     expect_table_row_count_to_be_between, _to_equal     row_count
///     expect_table_row_count_to_equal_other_table         row_count same as …
///     expect_column_to_exist, expect_table_columns_to_match_set (exact_match: false), _match_ordered_list,
///     expect_column_values_to_be_of_type                  schema
///     expect_column_values_to_not_be_null, _to_be_null    missing_count, missing_percent
///     expect_column_values_to_be_unique, expect_compound_columns_to_be_unique    duplicate_count
///     expect_column_values_to_be_in_set, _to_not_be_in_set, _to_match_regex, _to_not_match_regex, _to_be_between,
///     expect_column_value_lengths_to_be_between, _to_equal, expect_column_distinct_values_to_be_in_set
///                                                         invalid_count, invalid_percent
///     expect_column_min|max|mean|sum|stdev|median_to_be_between                  min, max, avg, sum, stddev_samp,
///     percentile expect_column_quantile_values_to_be_between         percentile
///     expect_column_unique_value_count_to_be_between, expect_column_proportion_of_unique_values_to_be_between
///                                                         a metric of COUNT(DISTINCT …)
///     expect_column_pair_values_to_be_equal, _a_to_be_greater_than_b, expect_multicolumn_sum_to_equal,
///     unexpected_rows_expectation                         failed rows
config::Node gx_suite_to_checks(const config::Node& suite, const std::string& table, config::Diagnostics& diagnostics);

}  // namespace weir::quality
