#pragma once

#include "api/rule_view.h"
#include "core/time.h"
#include "rules/evaluator.h"

namespace weir::app {

/// What the API shows of the evaluator's rule groups. Kept by the judge, a view a group, never changed once made.
class RuleViews {
 public:
  /// Shows all groups anew, with the alerts they have; what is known of evaluations stays for groups whose rules are
  /// the same as before.
  void show_all(const rules::Evaluator& evaluator);
  /// Shows how one evaluation of a group went.
  void show(const rules::Evaluator& evaluator, std::size_t group, const rules::Evaluation& evaluation, core::Time now,
            double seconds);

  const api::RuleGroupViews& groups() const { return groups_; }

 private:
  api::RuleGroupViews groups_;
};

}  // namespace weir::app
