#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::series {

/// A metric of which series were refused, and how many of their samples.
struct Refused {
  std::string metric;
  std::uint64_t samples = 0;
};

/// Counts refused samples by metric, for a bounded number of metrics; further ones share "(others)".
class Refusals {
 public:
  void count(std::string_view metric);
  void clear() { counts_.clear(); }
  /// At most 10, most first.
  std::vector<Refused> most() const;

 private:
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

}  // namespace weir::series
