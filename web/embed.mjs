// Writes a C++ source that holds every file of a folder: node embed.mjs <folder> <output.cpp>.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join, relative } from "node:path";

const [folder, output] = process.argv.slice(2);
const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

function files(at) {
  return readdirSync(at, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? files(join(at, entry.name)) : [join(at, entry.name)]))
    .sort();
}

// Three octal digits never swallow the character behind them. Compilers bound the length of one literal, so
// the bytes are a row of short ones.
function literal(bytes) {
  const lines = [];
  for (let start = 0; start < bytes.length; start += 1000) {
    let line = "";
    for (const byte of bytes.subarray(start, start + 1000)) {
      const plain = byte >= 32 && byte < 127 && byte !== 34 && byte !== 92 && byte !== 63;
      line += plain ? String.fromCharCode(byte) : "\\" + byte.toString(8).padStart(3, "0");
    }
    lines.push(`    "${line}"`);
  }
  return lines.join("\n") || '""';
}

const rows = files(folder).map((file) => {
  const bytes = readFileSync(file);
  const tag = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const path = "/" + relative(folder, file).split("\\").join("/");
  return `    {"${path}", "${types[extname(file)] ?? "application/octet-stream"}", "\\"${tag}\\"", std::string_view(\n${literal(bytes)},\n        ${bytes.length})},`;
});

writeFileSync(
  output,
  `#include <array>

#include "api/web_assets.h"

namespace weir::api {
namespace {

constexpr std::array<WebAsset, ${rows.length}> kAssets{{
${rows.join("\n")}
}};

}  // namespace

std::span<const WebAsset> web_assets() { return kAssets; }

}  // namespace weir::api
`,
);
