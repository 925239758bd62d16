// Who rises and who falls over the newest windows of a run. The choice is in the address.

import { get } from "./api.js";
import { columnChart, courseDetail, largest, sparkline } from "./charts.js";
import { at, element, fill } from "./elements.js";
import { count, GRANULARITIES, instant, mean, plural, span, timeOf, dayOf } from "./format.js";
import { foldFilters, followTheme, followZone, showPages } from "./frame.js";
import { authorCell, badge } from "./rows.js";
import { order } from "./scope.js";
import { load, say, showContent } from "./states.js";

const COUNTS = [6, 12, 24, 48, 168];
const DESCENDING = ["posts", "newest", "mean_before", "change"];

const table = document.querySelector("table");
const parameters = new URLSearchParams(location.search);
const view = {
  run: parameters.get("run") ?? "latest",
  per: parameters.get("per") ?? "",
  windows: parameters.get("windows") ?? "12",
  sort: parameters.get("sort") ?? "change",
  desc: parameters.get("desc") ?? "1",
};
let trends = null;

async function loadTrends() {
  const run = await get(`runs/${view.run}`);
  const usable = run.granularities.filter((granularity) => granularity !== "all");
  if (!usable.length) {
    hide();
    say("This run has no windows that follow each other", "Trends need a ranking per minute, hour or day. ",
      element("a", { href: "runs" }, "All runs"));
    return;
  }
  if (!usable.includes(view.per)) view.per = usable.includes("hour") ? "hour" : usable.at(-1);
  fill(at("per"), usable.map((granularity) => [granularity, GRANULARITIES[granularity]]), view.per);
  fill(at("windows"), COUNTS.map((number) => [`${number}`, `${number} windows`]), view.windows);
  trends = await get(`runs/${run.run}/trends`, { granularity: view.per, windows: view.windows });
  show();
}

function show() {
  const { run, granularity, start, end, steps, totals, rows } = trends;
  at("filters").hidden = false;
  const posts = totals.reduce((sum, value) => sum + value, 0);
  at("heading").textContent = `${plural(rows.length, "author")} ${order(run)} over ${plural(steps, granularity)}, ${span(start, end)}`;
  at("heading").hidden = false;
  table.caption.textContent = at("heading").textContent;
  at("status").textContent = `${plural(posts, "post")} in all; the newest window starts at ${instant(stepStart(steps - 1))}` +
    `${trends.complete ? "." : ", and is incomplete."}`;
  const course = { granularity, start, steps, selected: [steps - 1, steps] };
  const top = largest(rows.map(({ series }) => series));
  at("course").replaceChildren(`Posts per ${granularity}`,
    element("span", { class: "detail" }, courseDetail(course, top)));
  table.tBodies[0].replaceChildren(...sorted(rows).map((row) => rowOf(row, course, top)));
  for (const button of table.querySelectorAll("[data-sort]")) {
    const order = view.desc === "1" ? "descending" : "ascending";
    button.parentElement.setAttribute("aria-sort", button.dataset.sort === view.sort ? order : "none");
  }
  at("below").textContent = `Change: posts of the newest window less the mean of the ${plural(steps - 1, "window")} before it. ` +
    `Windows in which an author was below the first ${run.top} count as none.`;
  at("totals").replaceChildren(columnChart(totals, {
    label: `All posts per ${granularity}, ${span(start, end)}`, unit: "posts",
    name: (step) => instant(stepStart(step)), tick: (step) => tickOf(granularity, step),
    hatched: (step) => step === steps - 1 && !trends.complete,
  }));
  showContent();
  remember();
}

function sorted(rows) {
  const sign = view.desc === "1" ? -1 : 1;
  const value = (row) => (view.sort === "author" ? (row.author_name || row.author_handle || row.author_id).toLowerCase() : row[view.sort]);
  return rows.toSorted((a, b) => (value(a) === value(b) ? 0 : value(a) < value(b) ? -sign : sign));
}

function rowOf(row, course, top) {
  const by = row.change;
  const [sign, kind] = by > 0 ? ["▲ ", "up"] : by < 0 ? ["▼ ", "down"] : ["", "same"];
  const { picture, peak } = sparkline(row.series, course, top);
  return element("tr", {},
    authorCell(row, trends.run),
    element("td", { class: "network" }, badge(row.network)),
    element("td", { class: "course" }, element("div", {}, picture, element("span", {}, count(peak)))),
    element("td", { class: "number wide" }, count(row.posts)),
    element("td", { class: "number" }, count(row.newest)),
    element("td", { class: "number wide" }, row.mean_before === null ? "" : mean(row.mean_before)),
    element("td", { class: `number change ${kind}` }, by === null ? "" : `${sign}${mean(Math.abs(by))}`));
}

/** When a step starts, RFC 3339. */
function stepStart(step) {
  const { start, end, steps } = trends;
  const first = new Date(start).getTime();
  return new Date(first + (step * (new Date(end).getTime() - first)) / steps).toISOString();
}

const tickOf = (granularity, step) => (granularity === "day" ? dayOf(stepStart(step)) : timeOf(stepStart(step)));

function hide() {
  at("heading").hidden = at("filters").hidden = true;
}

function remember() {
  const words = { ...view, run: view.run === "latest" ? "" : view.run };
  history.replaceState(null, "", `?${new URLSearchParams(Object.entries(words).filter(([, word]) => word !== ""))}`);
}

foldFilters();
at("choice").addEventListener("submit", (event) => event.preventDefault());
at("choice").addEventListener("change", ({ target }) => {
  view[target.id] = target.value;
  load(loadTrends, hide);
});
table.tHead.addEventListener("click", ({ target }) => {
  const column = target.dataset.sort;
  if (!column) return;
  const descending = column === view.sort ? view.desc !== "1" : DESCENDING.includes(column);
  Object.assign(view, { sort: column, desc: descending ? "1" : "0" });
  show();
});
showPages("trends");
followTheme();
followZone(() => trends && show());
load(loadTrends, hide);
