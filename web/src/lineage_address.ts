// Nodes in the page's address and in requests.
export function lineageAddress(text?: string): string {
  return text ? "#lineage/" + encodeURIComponent(text) : "#lineage";
}

/** The node in an address, "" for the page without one, null for another page. */
export function nodeInAddress(hash: string): string | null {
  if (hash === "#lineage") return "";
  if (!hash.startsWith("#lineage/")) return null;
  try {
    return decodeURIComponent(hash.slice("#lineage/".length));
  } catch {
    return "";
  }
}

/** Splits "kind:place/name" as Weir does: of a URL the place ends behind the host. */
export function query(text: string): string {
  const colon = text.indexOf(":");
  const rest = text.slice(colon + 1);
  const scheme = rest.indexOf("://");
  const slash = rest.indexOf("/", scheme < 0 ? 0 : scheme + 3);
  const parts = new URLSearchParams({ kind: text.slice(0, colon), place: slash < 0 ? "" : rest.slice(0, slash), name: rest.slice(slash + 1) });
  return parts.toString();
}
