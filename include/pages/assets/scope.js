// What a run ranks, in words: the networks, the order, reposts, the interval and how many authors of each window.

import { listed } from "./elements.js";
import { METRICS, span } from "./format.js";

export const networksOf = (run) => (run.networks?.length ? listed(run.networks) : "");

/** "by peak in 60 s on x and bluesky, without reposts": everything but the window. */
export function order(run) {
  const networks = networksOf(run);
  const reposts = run.include_reposts === false ? ", without reposts" : "";
  return `by ${METRICS[run.order] ?? run.order ?? "posts"}${networks ? ` on ${networks}` : ""}${reposts}`;
}

/** Each way in which the run is narrowed, as a short text. */
export function narrowings(run) {
  return [
    networksOf(run) && `only ${networksOf(run)}`,
    run.order && run.order !== "posts" && `ordered by ${METRICS[run.order] ?? run.order}`,
    run.include_reposts === false && "without reposts",
    run.interval_requested && `interval ${span(run.interval.start, run.interval.end)}`,
    `first ${run.top} of each window`,
  ].filter(Boolean);
}
