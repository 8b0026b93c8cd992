#pragma once

#include <string>
#include <string_view>

#include "collectors/consumer_groups.h"

namespace weir::collectors {

/// Builds the labels of a group's series, once for each; the parts of consumer_groups() that allocate.
class GroupLabels {
 public:
  explicit GroupLabels(std::string_view cluster) : cluster_(cluster) {}

  void build(const std::string& id, GroupMemory::Group& group) const;
  void build(const std::string& id, const std::string& name, GroupMemory::Topic& topic) const;
  void build(const std::string& id, const std::string& topic, std::int32_t number,
             GroupMemory::Partition& partition) const;
  void build_clients(const std::string& id, const std::vector<kafka::Member>& members, GroupMemory::Group& group) const;

  core::Labels of_group(std::string_view metric, std::string_view id) const;
  core::Labels of_topic(std::string_view metric, std::string_view id, std::string_view topic) const;
  core::Labels trouble(std::string_view id, std::string_view topic, std::int32_t number, GroupStatus status) const;

 private:
  std::string_view cluster_;
};

}  // namespace weir::collectors
