// One author in one run: the course over days or hours, the peaks, the ranks, networks, and where the posts are.

import { get } from "./api.js";
import { columnChart } from "./charts.js";
import { at, element, fill } from "./elements.js";
import { count, dayOf, GRANULARITIES, instant, plural, share, span, STEP_SECONDS, timeOf, windowName } from "./format.js";
import { followTheme, followZone, linkOut, showPages } from "./frame.js";
import { authorLink, badge, names, rankCell, rowAt } from "./rows.js";
import { narrowings } from "./scope.js";
import { load, showContent } from "./states.js";

const LISTED = 50; // windows in the table of ranks
const MOST_STEPS = 800; // bars that a chart can show
const FEW = 3; // days that make no course: their hours do

const parameters = new URLSearchParams(location.search);
const view = {
  run: parameters.get("run") ?? "latest",
  network: parameters.get("network") ?? "",
  id: parameters.get("id") ?? "",
  per: parameters.get("per") ?? "",
};
let author = null; // as the API describes it

async function loadAuthor() {
  author = await get(`runs/${view.run}/author`, { network: view.network, id: view.id });
  const usable = chartable();
  if (!usable.includes(view.per)) {
    const days = author.granularities.day?.windows ?? 0;
    view.per = usable.includes("day") && days >= FEW ? "day" : usable.includes("hour") ? "hour" : usable.at(-1) ?? "all";
  }
  show();
}

/** The granularities with windows that follow each other, few enough to draw. */
function chartable() {
  return Object.entries(author.granularities)
    .filter(([name, course]) => name !== "all" && stepsOf(name, course) <= MOST_STEPS).map(([name]) => name);
}

const stepsOf = (granularity, { start, end }) => Math.round((new Date(end) - new Date(start)) / 1000 / STEP_SECONDS[granularity]);

function show() {
  const { run, author: who } = author;
  const [name, handle] = names(who);
  at("name").replaceChildren(name);
  document.title = `${name.textContent}, author`;
  at("account").replaceChildren(badge(who.network), " ", handle, " · ",
    who.profile ? linkOut(who.profile, "Profile", OUTSIDE) : `id ${who.author_id}`);
  at("status").textContent = `In run ${run.run_id}: ${span(run.interval.start, run.interval.end)}; ${narrowings(run).join("; ")}.`;
  fill(at("per"), chartable().map((granularity) => [granularity, GRANULARITIES[granularity]]), view.per);
  showCourse();
  showPeaks();
  showRanks();
  showNetworks();
  showContent();
  const words = { ...view, run: view.run === "latest" ? "" : view.run };
  history.replaceState(null, "", `?${new URLSearchParams(Object.entries(words).filter(([, word]) => word))}`);
}

const OUTSIDE = { target: "_blank", rel: "noopener noreferrer" };

function showCourse() {
  const course = author.granularities[view.per];
  const { columns, start, end, windows } = course;
  at("choice").hidden = chartable().length < 2;
  at("course").replaceChildren();
  if (STEP_SECONDS[view.per]) {
    const steps = stepsOf(view.per, course), first = new Date(start).getTime(), step = STEP_SECONDS[view.per] * 1000;
    const values = new Array(steps).fill(null), open = new Set();
    columns.start.forEach((text, place) => {
      const number = Math.round((new Date(text) - first) / step);
      values[number] = columns.posts[place];
      if (!columns.complete[place]) open.add(number);
    });
    const startOf = (number) => new Date(first + number * step).toISOString();
    at("course").append(columnChart(values, {
      label: `Posts per ${view.per}, ${span(start, end)}`, unit: "posts", name: (number) => instant(startOf(number)),
      tick: (number) => (view.per === "day" || number === 0 ? dayOf(startOf(number)) : timeOf(startOf(number))), hatched: (number) => open.has(number),
    }));
  }
  const ranked = columns.start.length;
  at("below").textContent = `Ranked in ${count(ranked)} of ${plural(windows, "window")}` +
    (ranked < windows ? `; in the others the author posted nothing or is below the first ${author.run.top}.` : ".") +
    (columns.complete.includes(false) ? " Incomplete windows are hatched." : "");
}

function showPeaks() {
  const rows = Object.entries(author.granularities).filter(([, { columns }]) => columns.start.length).map(([granularity, { columns }]) => {
    const best = columns.posts.indexOf(Math.max(...columns.posts));
    return [GRANULARITIES[granularity].toLowerCase(), granularity, rowAt(columns, best)];
  });
  at("peaks").tBodies[0].replaceChildren(...rows.map(([text, granularity, row]) => element("tr", {},
    element("th", { scope: "row" }, text), element("td", {}, ranking(granularity, row)),
    element("td", { class: "number" }, count(row.posts)), rankCell(row.rank, row.tied_rank, "number"),
    element("td", { class: "number wide" }, share(row.share)), element("td", {}, postsLink(row)))));
}

function showRanks() {
  const { columns } = author.granularities[view.per];
  const newest = [...columns.start.keys()].reverse().slice(0, LISTED);
  const cut = columns.start.length > LISTED ? `the newest ${LISTED} of ${count(columns.start.length)}` : "newest first";
  at("ranks").caption.textContent = `Ranks per ${view.per}, ${cut}`;
  at("ranks").tBodies[0].replaceChildren(...newest.map((place) => {
    const row = rowAt(columns, place);
    return element("tr", {}, element("th", { scope: "row" }, ranking(view.per, row), row.complete ? "" : " (incomplete)"),
      rankCell(row.rank, row.tied_rank, "number"), element("td", { class: "number" }, count(row.posts)),
      element("td", { class: "number wide" }, share(row.share)),
      element("td", { class: "number wide" }, row.peak_60s === null ? "" : count(row.peak_60s)), element("td", {}, postsLink(row)));
  }));
}

function showNetworks() {
  const { author: who, same_handle: alike } = author;
  const list = alike.map((account) => element("li", {}, authorLink(account, author.run), " ", badge(account.network)));
  at("networks").replaceChildren(
    element("p", {}, "This author is an account of ", badge(who.network), ". ", alike.length
      ? "Accounts of other networks with the same handle, who need not be the same person:"
      : "No ranked account of another network has the same handle."),
    element("ul", {}, ...list));
}

/** The window's ranking, in words. */
function ranking(granularity, { start, end }) {
  const words = new URLSearchParams({ ...(view.run === "latest" ? {} : { run: view.run }), per: granularity, window: start });
  return element("a", { href: `leaderboard?${words}` }, windowName(granularity, start, end));
}

/** Where the network shows the posts of a window, or the author's profile where it has no search by time. */
function postsLink({ link }) {
  const { profile } = author.author;
  if (link) return linkOut(link, "Search", OUTSIDE);
  return profile ? linkOut(profile, "Profile", OUTSIDE) : "not public";
}

at("choice").addEventListener("submit", (event) => event.preventDefault());
at("per").addEventListener("change", ({ target }) => {
  view.per = target.value;
  show();
});
showPages("author");
followTheme();
followZone(() => author && show());
load(loadAuthor);
