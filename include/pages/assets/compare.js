// Two runs side by side, in a window that both ranked. The choice is in the address.

import { get } from "./api.js";
import { at, element, fill } from "./elements.js";
import { count, GRANULARITIES, plural, windowName } from "./format.js";
import { foldFilters, followTheme, followZone, showPages } from "./frame.js";
import { authorCell, badge, rankCell } from "./rows.js";
import { narrowings } from "./scope.js";
import { load, say, showContent } from "./states.js";

const table = document.querySelector("table");
const parameters = new URLSearchParams(location.search);
const view = Object.fromEntries(["first", "second", "per", "window"].map((name) => [name, parameters.get(name) ?? ""]));
let runs = []; // what can be chosen
let comparison = null;

async function loadRuns() {
  const page = await get("runs", { limit: 100 });
  ({ runs } = page);
  if (runs.length < 2 && !(view.first && view.second)) {
    say("There is nothing to compare", "Two runs are needed, and ", plural(runs.length, "run"), runs.length === 1 ? " is" : " are", " exported.");
    at("filters").hidden = true;
    return;
  }
  view.second ||= page.latest && page.latest !== view.first ? page.latest : runs.find(({ run }) => run !== view.first).run;
  view.first ||= usualFirst();
  await loadComparison();
}

/** The newest run, but the second, with a ranking that both have; else any other. */
function usualFirst() {
  const others = runs.filter(({ run }) => run !== view.second);
  const granularities = runs.find(({ run }) => run === view.second)?.granularities ?? [];
  return (others.find((other) => other.granularities.some((name) => granularities.includes(name))) ?? others[0]).run;
}

async function loadComparison() {
  const pair = await Promise.all([view.first, view.second].map((run) => get(`runs/${run}`)));
  const common = pair[0].granularities.filter((granularity) => pair[1].granularities.includes(granularity));
  showRuns(pair, common);
  if (!common.length) {
    say("These runs have nothing in common", "No granularity is ranked in both of them; select other runs.");
    return;
  }
  comparison = await get("comparison", { first: view.first, second: view.second, granularity: view.per, window: view.window });
  showComparison();
}

function showRuns(pair, common) {
  const others = pair.filter(({ run }) => !runs.some((listed) => listed.run === run));
  const options = [...runs, ...others].map(({ run, run_id: id }) => [run, id]);
  fill(at("first"), options, pair[0].run);
  fill(at("second"), options, pair[1].run);
  if (!common.includes(view.per)) view.per = common.includes("hour") ? "hour" : common.at(-1) ?? "";
  fill(at("per"), common.map((granularity) => [granularity, GRANULARITIES[granularity]]), view.per);
  at("window").replaceChildren();
}

function showComparison() {
  const { rows, window, windows, granularity } = comparison;
  const [first] = window;
  view.window = first.start;
  fill(at("window"), windows.map((start) => [start, windowOption(granularity, start, first)]), first.start);
  const name = windowName(granularity, first.start, first.end);
  at("heading").textContent = `Authors in ${name}`;
  at("heading").hidden = false;
  table.caption.textContent = `Authors of both runs, ${name}`;
  at("scopes").replaceChildren(...comparison.runs.map((run, place) =>
    element("li", {}, `${place ? "Second" : "First"}: `, element("a", { href: leaderboard(run, granularity, first.start) }, run.run_id),
      `, ${plural(window[place].posts, "post")} in this window${window[place].complete ? "" : " (incomplete)"}; ${narrowings(run).join("; ")}`)));
  const differing = rows.filter(({ runs: [a, b] }) => a?.posts !== b?.posts || a?.rank !== b?.rank).length;
  at("status").textContent = differing
    ? `${plural(rows.length, "author")}, ${count(differing)} of them with another rank or number of posts.`
    : `${plural(rows.length, "author")}, with the same rank and number of posts in both runs.`;
  table.tBodies[0].replaceChildren(...rows.map(rowOf));
  showContent();
  history.replaceState(null, "", `?${new URLSearchParams(view)}`);
}

function windowOption(granularity, start, { start: from, end }) {
  const length = new Date(end) - new Date(from);
  return windowName(granularity, start, new Date(new Date(start).getTime() + length).toISOString());
}

const leaderboard = (run, per, window) => `leaderboard?${new URLSearchParams({ run: run.run, per, window })}`;

function rowOf(row) {
  const [first, second] = row.runs;
  const by = first && second ? second.posts - first.posts : null;
  const difference = by === null ? "" : by > 0 ? `+${count(by)}` : by < 0 ? `−${count(-by)}` : "0";
  const rank = (run) => (run ? rankCell(run.rank, run.tied_rank, "number wide") : element("td", { class: "number wide" }, "–"));
  const posts = (run) => element("td", { class: "number" }, run ? count(run.posts) : "–");
  return element("tr", {},
    authorCell(row, comparison.runs[first ? 0 : 1]),
    element("td", { class: "network" }, badge(row.network)),
    rank(first), rank(second), posts(first), posts(second),
    element("td", { class: "number" }, difference));
}

function hide() {
  at("heading").hidden = true;
}

at("choice").addEventListener("submit", (event) => event.preventDefault());
at("choice").addEventListener("change", ({ target }) => {
  view[target.id] = target.value;
  if (target.id !== "window") view.window = "";
  load(loadComparison, hide);
});
foldFilters();
showPages("compare");
followTheme();
followZone(() => comparison && showComparison());
load(loadRuns, hide);
