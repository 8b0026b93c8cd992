#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/judge.h"
#include "core/batch.h"
#include "notify/delivery.h"

namespace weir::app {

/// One line for each alert that began or ceased to fire, and each incident that was opened or closed; a storm is cut to
/// 50 lines of a kind and the number of the others.
void log_step(const JudgeStep& step);

/// One line for each notification that was sent or given up, and for a receiver that begins or ceases to fail, or whose
/// templates do. Used by one thread at a time; bounded by the number of receivers.
class DeliveryLog {
 public:
  void note(const notify::Report& report);

 private:
  std::map<std::string, std::string> errors_;
  std::map<std::string, std::string> template_problems_;
};

/// Logs what cannot be seen or has no value when that begins, changes or ends, each by itself. Used by one thread.
class FaultLog {
 public:
  struct Line {
    bool ended = false;
    core::Fault fault;
  };
  void note(std::string_view source, const std::vector<core::Fault>& faults);
  /// What note() logs. Numbers in an error may change without being news; of a table's column its checks tell,
  /// and where several metrics of one thing have the same fault the first stands for them.
  std::vector<Line> changes(std::string_view source, const std::vector<core::Fault>& faults);

 private:
  std::map<std::string, std::map<core::Labels, core::Fault>, std::less<>> present_;
};

}  // namespace weir::app
