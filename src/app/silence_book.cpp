#include "app/silence_book.h"

#include <algorithm>
#include <fmt/format.h>
#include <random>

#include "notify/silences.h"

namespace weir::app {
namespace {

/// A random UUID (RFC 9562, version 4).
std::string new_id() {
  std::random_device device;
  std::uniform_int_distribution<std::uint32_t> any;
  const std::uint32_t a = any(device);
  const std::uint32_t b = any(device);
  const std::uint32_t c = any(device);
  const std::uint32_t d = any(device);
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:04x}{:08x}", a, b >> 16U, b & 0xfffU,
                     0x8000U | ((c >> 16U) & 0x3fffU), c & 0xffffU, d);
}

}  // namespace

core::Result<void> SilenceBook::load() {
  auto found = storage_.silences();
  if (!found) return std::unexpected(found.error());
  const std::lock_guard lock(mutex_);
  silences_ = std::move(*found);
  compile();
  return {};
}

SilenceBook::Compiled SilenceBook::compiled() const {
  const std::lock_guard lock(mutex_);
  return compiled_;
}

std::vector<core::Silence> SilenceBook::all() const {
  const std::lock_guard lock(mutex_);
  return silences_;
}

core::Result<std::string> SilenceBook::set(core::Silence posted) {
  const std::lock_guard one_at_a_time(writing_);
  auto change = notify::set_silence(all(), std::move(posted), clock_.now(), new_id());
  if (!change) return std::unexpected(change.error());
  if (auto done = write(change->changed); !done) return std::unexpected(done.error());
  return change->id;
}

core::Result<void> SilenceBook::expire(const std::string& id) {
  const std::lock_guard one_at_a_time(writing_);
  auto ended = notify::expire_silence(all(), id, clock_.now());
  if (!ended) return std::unexpected(ended.error());
  return write({*ended});
}

core::Result<void> SilenceBook::write_again() {
  const std::lock_guard one_at_a_time(writing_);
  return storage_.put_silences(all());
}

void SilenceBook::prune() {
  const std::lock_guard one_at_a_time(writing_);
  const core::Time before = clock_.now() - storage::kSilencesKept;
  const std::lock_guard lock(mutex_);
  if (std::erase_if(silences_, [&](const core::Silence& silence) { return silence.ends_at < before; }) > 0) compile();
}

core::Result<void> SilenceBook::write(const std::vector<core::Silence>& changed) {
  if (auto done = storage_.put_silences(changed); !done) return done;
  const std::lock_guard lock(mutex_);
  for (const core::Silence& silence : changed) {
    const auto known = std::ranges::find(silences_, silence.id, &core::Silence::id);
    if (known == silences_.end()) {
      silences_.push_back(silence);
    } else {
      *known = silence;
    }
  }
  compile();
  return {};
}

void SilenceBook::compile() {
  compiled_ = std::make_shared<const std::vector<notify::CompiledSilence>>(notify::compile(silences_));
}

}  // namespace weir::app
