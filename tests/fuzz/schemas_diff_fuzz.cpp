// Two schemas of one format, the first byte says which: what parses is bounded, and a diff of the two ends and reads as
// one line.

#include <cstdint>
#include <string_view>

#include "schemas/diff.h"
#include "schemas/model.h"

namespace {

using weir::schemas::Format;

void check(const weir::schemas::Model& model) {
  std::size_t fields = 0;
  for (const weir::schemas::Type& type : model.types) fields += type.fields.size() + type.symbols.size();
  if (fields > weir::schemas::kMostFields) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr Format kFormats[] = {Format::avro, Format::protobuf, Format::json};
  const Format format = kFormats[data[0] % 3];
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t middle = text.find('\n');
  const auto older = weir::schemas::parse(format, text.substr(0, middle));
  const auto newer = middle == text.npos ? older : weir::schemas::parse(format, text.substr(middle + 1));
  if (older) check(*older);
  if (newer) check(*newer);
  if (!older || !newer) return 0;
  const auto changes = weir::schemas::diff(*older, *newer);
  for (const auto& change : changes) {
    if (change.text.empty()) __builtin_trap();
  }
  (void)weir::schemas::describe(changes);
  (void)weir::schemas::advice(changes);
  if (middle == text.npos && !changes.empty()) __builtin_trap();  // the same schema twice
  return 0;
}
