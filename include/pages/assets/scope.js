// What a run ranks, in words: the networks, the order, reposts, the interval and how many authors of each window.

import { listed } from "./elements.js";
import { METRICS, count, plural, span } from "./format.js";

// What the column of posts holds.
export const COUNTED = {
  posts: "posts", reposts_made: "reposts made", reposts_received: "reposts received", likes_received: "likes received",
  engagement: "engagement",
};

/** "3 posts", "3 likes received": a number of what the run counts. */
export function counted(value, run) {
  return (run.metric ?? "posts") === "posts" ? plural(value, "post") : `${count(value)} ${COUNTED[run.metric] ?? run.metric}`;
}

/** The weights of engagement, in brackets. */
function weights(run) {
  if (run.metric !== "engagement" || !run.weights) return "";
  const named = Object.entries(run.weights).filter(([, weight]) => weight);
  return ` (${named.map(([name, weight]) => `${COUNTED[name] ?? name} × ${weight}`).join(", ")})`;
}

export const networksOf = (run) => (run.networks?.length ? listed(run.networks) : "");

/** "by peak in 60 s on x and bluesky, without reposts": everything but the window. */
export function order(run) {
  const networks = networksOf(run);
  const reposts = run.include_reposts === false ? ", without reposts" : "";
  const tagged = run.tag ? `, tagged ${run.tag}` : "";
  const column = run.metric && run.metric !== "posts" && run.order === "posts" ? COUNTED[run.metric] : METRICS[run.order];
  return `by ${column ?? run.order ?? "posts"}${networks ? ` on ${networks}` : ""}${reposts}${tagged}`;
}

/** Each way in which the run is narrowed, as a short text. */
export function narrowings(run) {
  return [
    networksOf(run) && `only ${networksOf(run)}`,
    run.metric && run.metric !== "posts" && `counted: ${COUNTED[run.metric] ?? run.metric}${weights(run)}`,
    run.tag && `tagged ${run.tag}`,
    run.order && run.order !== "posts" && `ordered by ${METRICS[run.order] ?? run.order}`,
    run.include_reposts === false && "without reposts",
    run.interval_requested && `interval ${span(run.interval.start, run.interval.end)}`,
    `first ${run.top} of each window`,
  ].filter(Boolean);
}
