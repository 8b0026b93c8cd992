#pragma once

#include <map>
#include <memory>
#include <vector>

#include "core/lineage.h"
#include "incidents/root.h"

#include "lineage/graph.h"

namespace weir::app {

/// The lineage graph as incidents ask it. Remembers its answers; used by one thread.
class LineageUpstream : public incidents::Upstream {
 public:
  explicit LineageUpstream(std::shared_ptr<const lineage::View> view) : view_(std::move(view)) {}

  const std::shared_ptr<const lineage::View>& view() const { return view_; }
  core::Node canonical(const core::Node& node) const override;
  std::vector<core::Node> upstream(const core::Node& node) const override;
  std::vector<core::Node> downstream(const core::Node& node) const override;

 private:
  std::shared_ptr<const lineage::View> view_;
  using Answers = std::map<core::Node, std::vector<core::Node>>;
  mutable Answers upstream_;
  mutable Answers downstream_;
};

}  // namespace weir::app
