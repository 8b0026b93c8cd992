#include "api/compress.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <zlib.h>

namespace weir::api {
namespace {

constexpr std::size_t kLeastBytes = 1024;
constexpr int kGzipWindow = 15 + 16;  // the largest window, with gzip's header and trailer

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

bool same_word(std::string_view text, std::string_view lower_word) {
  return std::ranges::equal(text, lower_word, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

/// Feeds pieces through deflate into one string.
class Gzip {
 public:
  // The fastest level: JSON and metrics shrink tenfold even so.
  Gzip() : ready_(deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK) {}
  ~Gzip() {
    if (ready_) deflateEnd(&stream_);
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  bool add(std::string_view piece, bool last, std::string& out) {
    if (!ready_) return false;
    // zlib counts in 32 bits: what is larger goes in slices.
    constexpr std::size_t kSlice = 1U << 30U;
    while (piece.size() > kSlice) {
      if (!deflate_slice(piece.substr(0, kSlice), Z_NO_FLUSH, out)) return false;
      piece.remove_prefix(kSlice);
    }
    return deflate_slice(piece, last ? Z_FINISH : Z_NO_FLUSH, out);
  }

 private:
  bool deflate_slice(std::string_view slice, int flush, std::string& out) {
    // zlib does not write to its input, whose type is older than const.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(slice.data()));  // NOLINT
    stream_.avail_in = static_cast<uInt>(slice.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(chunk_.data());  // NOLINT
      stream_.avail_out = static_cast<uInt>(chunk_.size());
      if (deflate(&stream_, flush) == Z_STREAM_ERROR) return false;
      out.append(chunk_, 0, chunk_.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
    return true;
  }

  z_stream stream_{};
  std::string chunk_ = std::string(64U << 10U, '\0');
  bool ready_;
};

std::vector<std::shared_ptr<const std::string>> pieces_of(const net::ServerResponse& response) {
  std::vector<std::shared_ptr<const std::string>> pieces;
  if (response.body) pieces.push_back(response.body);
  pieces.insert(pieces.end(), response.parts.begin(), response.parts.end());
  return pieces;
}

std::optional<std::string> gzipped(const std::vector<std::shared_ptr<const std::string>>& pieces, std::size_t size) {
  Gzip gzip;
  std::string out;
  out.reserve(size / 8 + 1024);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (!gzip.add(*pieces[i], i + 1 == pieces.size(), out)) return std::nullopt;
  }
  return out;
}

struct Inflating {
  z_stream stream{};
  bool ready = inflateInit2(&stream, kGzipWindow) == Z_OK;

  Inflating() = default;
  Inflating(const Inflating&) = delete;
  Inflating& operator=(const Inflating&) = delete;
  ~Inflating() {
    if (ready) inflateEnd(&stream);
  }
};

}  // namespace

core::Result<std::string> gunzipped(std::string_view compressed, std::size_t most) {
  const core::Error broken{.kind = core::ErrorKind::invalid, .message = "the body is no complete gzip data"};
  Inflating inflating;
  z_stream& stream = inflating.stream;
  if (!inflating.ready || compressed.size() > std::numeric_limits<uInt>::max()) return std::unexpected(broken);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));  // NOLINT
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string out;
  std::string chunk(64U << 10U, '\0');
  while (true) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());  // NOLINT
    stream.avail_out = static_cast<uInt>(chunk.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    const std::size_t came = chunk.size() - stream.avail_out;
    if (out.size() + came > most) {
      return core::fail(core::ErrorKind::limit, fmt::format("the body has more than {} bytes unpacked", most));
    }
    out.append(chunk, 0, came);
    if (status == Z_STREAM_END) return out;
    if (status != Z_OK || came == 0) return std::unexpected(broken);
  }
}

bool accepts_gzip(std::string_view header) {
  bool any = false;
  while (!header.empty()) {
    const std::size_t comma = std::min(header.find(','), header.size());
    const std::string_view item = header.substr(0, comma);
    header.remove_prefix(std::min(comma + 1, header.size()));
    const std::size_t semicolon = std::min(item.find(';'), item.size());
    const std::string_view coding = trimmed(item.substr(0, semicolon));
    double weight = 1;
    if (const std::size_t q = item.find("q=", semicolon); q != std::string_view::npos)
      std::from_chars(item.data() + q + 2, item.data() + item.size(), weight);
    if (same_word(coding, "gzip") || same_word(coding, "x-gzip")) return weight > 0;
    if (coding == "*") any = weight > 0;
  }
  return any;
}

void compress(const net::ServerRequest& request, net::ServerResponse& response) {
  const auto pieces = pieces_of(response);
  std::size_t size = 0;
  for (const auto& piece : pieces) size += piece->size();
  if (size <= kLeastBytes) return;
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (!accepts_gzip(request.header("accept-encoding"))) return;
  auto packed = gzipped(pieces, size);
  if (!packed) return;  // out of memory for the window: it goes as it is
  response.body = std::make_shared<const std::string>(std::move(*packed));
  response.parts.clear();
  response.headers.emplace_back("Content-Encoding", "gzip");
  // Other bytes under the same name: the tag stays comparable, but is no longer a strong one.
  for (auto& [name, value] : response.headers) {
    if (name == "ETag" && !value.starts_with("W/")) value.insert(0, "W/");
  }
}

}  // namespace weir::api
