#pragma once

#include "config/diagnostics.h"
#include "config/node.h"

namespace weir::quality {

/// True for a data contract (`kind: DataContract`, or an `apiVersion` and no sections of a check file).
bool is_contract(const config::Node& root);

/// A contract of the Open Data Contract Standard (Bitol, 3.x up to 3.2) as a tree in SodaCL's shape, every value at
/// the place of what it was made from, so that the check parser judges it and its diagnostics point into the contract.
///
///     schema[].physicalName | name                     checks for <table>
///     properties[]                                     schema: fail: when required column missing
///       physicalType                                           when wrong column type
///       logicalType (without physicalType)                     when wrong logical type (logical_type.h)
///       required, unique, primaryKey                   missing_count(c) = 0, duplicate_count(c) = 0
///       logicalTypeOptions                             invalid_count(c) = 0, or failed rows where SodaCL has no
///       setting enum                                           invalid_count(c) = 0 with valid values
///     relationships[] (foreignKey)                     values in (a) must exist in t (b)
///     quality[] library                                row_count, missing_…, invalid_…, duplicate_count | _percent
///     quality[] sql                                    a metric of a query; {object} and {property} become the names
///     quality[] custom, engine soda                    as it is
///     slaProperties freshness, latency, frequency      freshness(c) < value
///
/// A severity of info or warning makes a check that warns; severity, dimension, businessImpact and customProperties
/// become attributes. What is no matter of a query (rules in words, the end of support) is a hint; anything else that
/// has no equal is an error.
config::Node contract_to_checks(const config::Node& root, config::Diagnostics& diagnostics);

}  // namespace weir::quality
