// Requests to the JSON API, with the session of the page.

let fetching = new AbortController();

/** A document of the API. Throws an Error with `status`, and with `code` where the API gives one. */
export async function get(path, parameters = {}) {
  const response = await fetch(address(path, parameters), { signal: fetching.signal });
  if (response.ok) return response.json();
  const { detail, code } = await response.json().catch(() => ({}));
  throw Object.assign(new Error(wording(detail) ?? response.statusText), { status: response.status, code });
}

/** Where a document is; parameters without a value are left out. */
export function address(path, parameters = {}) {
  const present = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const query = new URLSearchParams(present).toString();
  return `api/v1/${path}${query ? `?${query}` : ""}`;
}

/** Drop requests that are still under way. */
export function dropRequests() {
  fetching.abort();
  fetching = new AbortController();
}

/** The reason as text; the API's checks of parameters give a list. */
function wording(detail) {
  if (typeof detail === "string") return detail;
  if (!Array.isArray(detail)) return null;
  return detail.map(({ loc, msg }) => `${(loc ?? []).at(-1)}: ${msg}`).join("; ");
}
