// The rows of the leaderboard's table.

import { largest, sparkline } from "./charts.js";
import { element, unseen } from "./elements.js";
import { count, movement, share } from "./format.js";

/** A row for the author at index `at` of a run's ranking, by column; bars are scaled by the share `widest`. */
export function rowOf(columns, at, widest, run) {
  const rank = columns.rank[at];
  const row = element("tr", { "data-rank": rank },
    rankCell(rank, tieAt(columns, at)),
    changeCell(rank, columns.previous_rank[at]),
    authorCell(rowAt(columns, at), run),
    element("td", { class: "network" }, badge(columns.network[at])),
    element("td", { class: "number posts" }, count(columns.posts[at])),
    shareCell(columns.share[at], widest),
    element("td", { class: "number peak-60s" }, columns.peak_60s[at] === null ? "" : count(columns.peak_60s[at])),
    element("td", { class: "course" }));
  return row;
}

/** Draw the posts per step of the authors in these rows, all on one scale; returns its top, or null without a course. */
export function drawCourses(body, course) {
  if (!course) return null;
  const top = largest(Object.values(course.series));
  for (const row of body.rows) {
    const steps = course.series[row.dataset.rank];
    if (!steps?.length) continue;
    const { picture, peak } = sparkline(steps, course, top);
    row.lastElementChild.replaceChildren(element("div", {}, picture, element("span", {}, count(peak))));
  }
  return top;
}

/** A network's name in the colour of its kind. */
export function badge(network) {
  return element("span", { class: "badge", "data-kind": network.split(":")[0] }, network);
}

/** Name and handle of an author, each in a direction of its own, since scripts mix. */
export function names({ author_id: id, author_handle: handle, author_name: name }) {
  const second = name && handle ? `@${handle}` : name || handle ? id : "";
  return [element("bdi", { class: "name" }, name || handle || id), element("bdi", { class: "handle" }, second)];
}

/** An author's name with a link to their page, their handle and, on narrow screens, their network. */
export function authorCell(author, run) {
  return element("th", { scope: "row", class: "author", title: `${author.network} ${author.author_id}` },
    authorLink(author, run), names(author)[1], element("span", { class: "narrow" }, badge(author.network)));
}

export function authorLink(author, run) {
  const words = new URLSearchParams({ run: run.run, network: author.network, id: author.author_id });
  return element("a", { href: `author?${words}` }, names(author)[0]);
}

/** Columns as objects: the row at one index. */
export function rowAt(columns, at) {
  return Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[at]]));
}

/** A cell for a rank; `tied` is the first of the ranks that the author shares, null where it is not shared. */
export function rankCell(rank, tied, name = "number rank") {
  if (tied === null) return element("td", { class: name }, count(rank));
  return element("td", { class: name, title: `tied for rank ${count(tied)}` },
    element("span", { "aria-hidden": "true" }, `=${count(tied)}`), unseen(`${count(tied)}, tied`));
}

function tieAt({ tied_rank: ties }, at) {
  return ties[at - 1] === ties[at] || ties[at + 1] === ties[at] ? ties[at] : null;
}

function changeCell(rank, previous) {
  const [sign, words, kind] = movement(rank, previous);
  return element("td", { class: `change ${kind}`, title: words }, element("span", { "aria-hidden": "true" }, sign), unseen(words));
}

function shareCell(value, widest) {
  const bar = element("span", { class: "bar" });
  bar.style.setProperty("--part", `${(100 * value) / widest}%`);
  return element("td", { class: "share" }, element("div", {}, bar, element("span", {}, share(value))));
}
