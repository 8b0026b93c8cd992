#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "series/snapshot.h"

namespace {

namespace series = weir::series;

/// Whatever is read goes into a store, which then holds just that.
void try_to_read(const std::string& bytes) {
  std::istringstream in(bytes);
  auto snapshot = series::read_snapshot(in, bytes.size());
  if (!snapshot) return;
  const std::size_t series_read = snapshot->records.size();
  series::Store store({});
  // Later than any time a chunk may have, so that nothing is from the future.
  const weir::core::Time now(weir::core::Duration(std::int64_t{1} << 61U));
  const auto report = store.restore(snapshot->sources, std::move(snapshot->records), now);
  const auto views = store.select({.matchers = {}, .from = weir::core::Time::min(), .to = weir::core::Time::max()});
  std::size_t samples = 0;
  for (const weir::core::SeriesView& view : *views) samples += view.points.size();
  if (report.series != series_read || views->size() != series_read || report.samples != samples) std::abort();
}

}  // namespace

// As a file; and, since no fuzzer guesses a checksum, as the payload of a series block in a file that is right.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try_to_read(text);
  if (size == 0) return 0;
  // The first byte says how many series the end must claim.
  std::string bytes = series::format::head();
  series::format::append_block(bytes, series::format::Block::series, std::string_view(text).substr(1));
  series::format::append_block(bytes, series::format::Block::sources, std::string_view("\4self\5kafka", 11));
  std::string end;
  series::format::append_varint(end, 3);
  series::format::append_varint(end, data[0]);
  series::format::append_block(bytes, series::format::Block::end, end);
  try_to_read(bytes);
  return 0;
}
