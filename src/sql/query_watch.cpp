#include "sql/query_watch.h"

#include <utility>

namespace weir::sql {

QueryWatch::QueryWatch(core::Duration after, core::Duration grace, std::function<void()> cancel,
                       std::function<void()> abandon)
    : thread_([this, after, grace, cancel = std::move(cancel), abandon = std::move(abandon)](std::stop_token stop) {
        std::unique_lock lock(mutex_);
        const auto ends_within = [&](core::Duration time) {
          ended_.wait_for(lock, stop, time, [] { return false; });
          return stop.stop_requested();
        };
        if (ends_within(after)) return;
        fired_ = true;
        cancel();
        if (ends_within(grace)) return;
        abandon();
      }) {}

}  // namespace weir::sql
