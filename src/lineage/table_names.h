#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/lineage.h"

namespace weir::lineage {

/// "orders" of "shop.public.Orders": what two names of one table share, in lower case.
std::string last_part(std::string_view name);
/// Whether both may name one table: equal, or one is the other with more before it ("public.orders"), in any case.
bool may_be_same(std::string_view a, std::string_view b);

/// Names of one table that differ in how much of it they say.
struct TableNames {
  std::map<core::Node, core::Node> canonical;                           // other name → the one that counts
  std::vector<std::pair<core::Node, std::vector<core::Node>>> unclear;  // a name, and the tables it may be
};

/// Joins names of tables in one place. The name that counts is the one that has series, else the shortest. One that may
/// be several tables ("orders", where there are a.orders and b.orders) stays by itself.
TableNames join_table_names(const std::set<core::Node>& nodes, const std::set<core::Node>& known);

}  // namespace weir::lineage
