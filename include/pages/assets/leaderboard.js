// The leaderboard: what is chosen, what is fetched for it, what is shown. The choice is in the address, so that a view
// can be shared.

import { address, get } from "./api.js";
import { courseDetail } from "./charts.js";
import { at, element, fill } from "./elements.js";
import { age, count, dayOf, GRANULARITIES, instant, plural, share, span, timeOf, windowName, zoneName } from "./format.js";
import { foldFilters, followTheme, followZone, linkOut, showPages } from "./frame.js";
import { drawCourses, rowOf } from "./rows.js";
import { COUNTED, counted, narrowings, networksOf, order } from "./scope.js";
import { load, say, showContent } from "./states.js";

const PAGE = 100; // rows on a page: as many as a table lays out without being felt
const LOOK_AGAIN = 60_000; // ms between two looks for a newer run
const STALE = 2 * 3600_000; // ms after which an export of an hourly DAG is late
const DESCENDING = ["change", "posts", "share", "peak_60s", "busiest_step"]; // what a first click sorts from the largest

const table = document.querySelector("table");
const [body] = table.tBodies;
const parameters = new URLSearchParams(location.search);
const view = {
  run: parameters.get("run") ?? "latest",
  granularity: parameters.get("per"),
  window: parameters.get("window"),
  network: parameters.get("network") ?? "",
  query: parameters.get("q") ?? "",
  sort: parameters.get("sort") ?? "rank",
  descending: parameters.get("desc") === "1",
  page: 0,
};
let run = null; // what the API says of the run
let windows = []; // {start, end, complete} of the chosen granularity, oldest first
let ranking = null; // the chosen window's ranking, by column
let haystacks = []; // per row of the ranking, what a search looks at
let matches = []; // the rows of the ranking that pass network and search, in the chosen order

const show = (act) => load(act, hide);

async function loadRun() {
  run = await get(`runs/${view.run}`);
  if (!run.granularities.length) return showEmptyRun();
  if (!run.granularities.includes(view.granularity)) {
    view.granularity = run.granularities.includes("hour") ? "hour" : run.granularities.at(-1);
  }
  showRun();
  return loadWindows();
}

async function loadWindows() {
  const { columns } = await get(`runs/${run.run}/windows`, { granularity: view.granularity });
  windows = columns.start.map((start, place) => ({ start, end: columns.end[place], complete: columns.complete[place] }));
  if (!windows.some(({ start }) => start === view.window)) view.window = nearest(view.window);
  await loadRanking();
}

/** The window that holds an instant, so that a change of granularity stays near; else the newest complete one. */
function nearest(moment) {
  const holding = windows.find(({ start, end }) => moment >= start && moment < end);
  return (holding ?? windows.findLast(({ complete }) => complete) ?? windows.at(-1)).start;
}

async function loadRanking() {
  showWindows();
  const answer = await get(`runs/${run.run}/ranking`, { granularity: view.granularity, window: view.window });
  ranking = { ...answer, ...answer.columns };
  haystacks = ranking.rank.map((_, row) =>
    `${ranking.author_name[row] ?? ""}\n${ranking.author_handle[row] ?? ""}\n${ranking.author_id[row]}`.toLowerCase());
  showNetworks();
  await showMatches();
}

function showMatches() {
  const query = view.query.trim().replace(/^@/, "").toLowerCase();
  matches = [...haystacks.keys()].filter((row) =>
    (!view.network || ranking.network[row] === view.network) && haystacks[row].includes(query));
  sortMatches();
  view.page = 0;
  return showPage();
}

/** Rows without a value come last in either direction; ties stay in the order of their ranks. */
function sortMatches() {
  const value = SORTS[view.sort] ?? SORTS.rank, sign = view.descending ? -1 : 1;
  const values = new Map(matches.map((row) => [row, value(row)]));
  matches.sort((a, b) => {
    const x = values.get(a), y = values.get(b);
    if (x === null || y === null) return (x === null) - (y === null) || a - b;
    return x === y ? a - b : (x < y ? -1 : 1) * sign;
  });
}

const SORTS = {
  rank: (row) => ranking.rank[row],
  change: (row) => (ranking.previous_rank[row] === null ? null : ranking.previous_rank[row] - ranking.rank[row]),
  author: (row) => (ranking.author_name[row] || ranking.author_handle[row] || ranking.author_id[row]).toLowerCase(),
  network: (row) => ranking.network[row],
  posts: (row) => ranking.posts[row],
  share: (row) => ranking.share[row],
  peak_60s: (row) => ranking.peak_60s[row],
  busiest_step: (row) => ranking.busiest_step[row],
};

/** Show a page of the matches, then draw the courses of its authors when they have arrived. */
async function showPage() {
  const first = view.page * PAGE, rows = matches.slice(first, first + PAGE);
  const widest = Math.max(Number.MIN_VALUE, ...rows.map((row) => ranking.share[row]));
  body.replaceChildren(...rows.map((row) => rowOf(ranking, row, widest, run)));
  table.classList.toggle("first-window", view.granularity === "all");
  table.classList.toggle("incomplete", !ranking.window.complete);
  at("filters").hidden = false;
  if (rows.length) showContent();
  else say("No authors found", "No ranked author of this window matches the search and the network. ", below());
  showSorting();
  showPager(first, rows.length);
  showHeading(first, rows.length);
  remember();
  performance.mark("ranking-shown");
  at("course").replaceChildren();
  if (rows.length) {
    const ranks = rows.map((row) => ranking.rank[row]).join();
    const { course } = await get(`runs/${run.run}/courses`, { granularity: view.granularity, window: view.window, ranks });
    showCourses(course);
  }
}

function showCourses(course) {
  const top = drawCourses(body, course);
  table.classList.toggle("no-course", top === null);
  if (top === null) return;
  at("course").replaceChildren(`Posts per ${course.granularity}`, element("span", { class: "detail" }, courseDetail(course, top)));
}

function showRun() {
  const newest = element("time", { datetime: run.exported_at, id: "age" });
  const dagRun = `../dags/${encodeURIComponent(run.dag_id)}/runs/${encodeURIComponent(run.run_id)}`;
  const posts = run.counts.posts === undefined ? "" : `, ${plural(run.counts.posts, "post")} counted`;
  at("about").replaceChildren(
    `Run ${run.run_id}: ${span(run.interval.start, run.interval.end)}${posts}; ${narrowings(run).join("; ")} · exported `,
    newest, ` (${instant(run.exported_at)}) · `,
    linkOut(dagRun, "DAG run"), " · ", element("a", { href: `compare?second=${run.run}` }, "Compare"), " · ",
    linkOut(`api/v1/runs/${run.run}/manifest`, "Manifest"), " · ", linkOut(`runs/${run.run}/report`, "Report"),
  );
  showAge();
  const legend = at("granularity").firstElementChild;
  at("granularity").replaceChildren(legend, ...run.granularities.map(choiceOf));
  at("newer").hidden = true;
  at("search").value = view.query;
}

function showEmptyRun() {
  showRun();
  hide();
  say("This run ranked no authors",
    `Run ${run.run_id} found no posts in its scope: ${span(run.interval.start, run.interval.end)}; ${narrowings(run).join("; ")}. `,
    element("a", { href: "runs" }, "All runs"), " · ", element("a", { href: "leaderboard" }, "The newest ranking"));
}

function showAge() {
  if (run) at("age").textContent = age(run.exported_at);
}

function choiceOf(granularity) {
  const input = element("input", { type: "radio", name: "granularity", value: granularity });
  input.checked = granularity === view.granularity;
  return element("label", {}, input, GRANULARITIES[granularity]);
}

function showWindows() {
  const here = windows.findIndex(({ start }) => start === view.window);
  const today = dayOf(view.window);
  const days = new Map(windows.map(({ start }) => [dayLabel(start), start]));
  fill(at("day"), [...days].map(([text]) => [text, text]), dayLabel(view.window));
  const times = windows.filter(({ start }) => dayOf(start) === today);
  fill(at("time"), times.map(({ start, complete }) => [start, `${timeOf(start)}${complete ? "" : " (incomplete)"}`]), view.window);
  at("time").setAttribute("aria-label", `Time of the window, ${zoneName()}`);
  at("when").hidden = view.granularity === "all";
  at("time").hidden = view.granularity === "day";
  at("older").disabled = here <= 0;
  at("later").disabled = here === windows.length - 1;
}

const dayLabel = (start) => (view.granularity === "day" ? windowName("day", start) : dayOf(start));

function showNetworks() {
  const networks = [...new Set(ranking.network)].sort();
  if (view.network && !networks.includes(view.network)) networks.push(view.network);
  fill(at("network"), [["", "All networks"], ...networks.map((network) => [network, network])], view.network);
}

function showSorting() {
  for (const button of table.querySelectorAll("[data-sort]")) {
    const sorted = button.dataset.sort === view.sort;
    button.parentElement.setAttribute("aria-sort", sorted ? (view.descending ? "descending" : "ascending") : "none");
  }
}

function showPager(first, shown) {
  at("pager").hidden = matches.length <= PAGE;
  at("pager").querySelector("span").textContent = `${count(first + 1)}–${count(first + shown)} of ${count(matches.length)}`;
  for (const button of at("pager").querySelectorAll("button")) {
    const back = ["first", "previous"].includes(button.dataset.go);
    button.disabled = back ? view.page === 0 : first + PAGE >= matches.length;
  }
  const selection = { granularity: view.granularity, window: view.window, network: view.network, q: view.query, sort: view.sort,
    descending: view.descending || null };
  const file = (form) => address(`runs/${run.run}/ranking.${form}`, selection);
  at("downloads").replaceChildren(`Download ${plural(matches.length, "author")} as `,
    linkOut(file("csv"), "CSV", { download: "" }), " or ", linkOut(file("parquet"), "Parquet", { download: "" }));
}

/** The heading says what is shown, the status how much of it: totals are those of the rows that match. */
function showHeading(first, shown) {
  const { window, ranked, may_be_below: truncated } = ranking;
  const name = windowName(view.granularity, window.start, window.end);
  const heading = `${truncated ? `First ${count(ranked)} authors` : "Authors"} ${order(run)}, ${name}`;
  const narrowed = [view.network && `on ${view.network}`, view.query.trim() && `matching “${view.query.trim()}”`].filter(Boolean);
  at("heading").replaceChildren(heading, ...(narrowed.length ? [element("span", {}, `; only those ${narrowed.join(", ")}`)] : []));
  at("heading").hidden = false;
  const column = COUNTED[run.metric] ?? "posts";
  document.querySelector('[data-sort="posts"]').textContent = column[0].toUpperCase() + column.slice(1);
  table.caption.textContent = at("heading").textContent;
  document.title = `Leaderboard: ${name}`;
  const posts = matches.reduce((sum, row) => sum + ranking.posts[row], 0);
  const some = matches.length === ranked ? plural(ranked, "ranked author") : `${count(matches.length)} of ${plural(ranked, "ranked author")}`;
  const range = matches.length > PAGE ? `, showing ${count(first + 1)} to ${count(first + shown)}` : "";
  const all = networksOf(run) ? `all ${counted(window.posts, run)} on ${networksOf(run)}` : `all ${counted(window.posts, run)}`;
  at("status").textContent = `${some}${range}; ${counted(posts, run)}, ${share(posts / (window.posts || 1))} of ${all} of this window.`;
  at("below").textContent = below();
  showNotice();
}

/** Who may be missing below the last of the exported ranks. */
function below() {
  const { may_be_below: truncated, ranked, last_posts: last } = ranking;
  if (!truncated) return "Every author of this window is ranked here.";
  const rest = run.order === "posts" ? `: the last of them has ${counted(last, run)}` : "";
  return `The export holds the first ${count(ranked)} authors of each window${rest}. Others are below it; ` +
    "run rank_authors with a larger top to see them.";
}

/** What a reader must know of the data: posts are still arriving, or the newest export is old. */
function showNotice() {
  const texts = [];
  if (!ranking.window.complete) {
    texts.push(`This window is incomplete: it ends at ${instant(ranking.window.end)}, and this run ranked what was posted until ` +
      `${instant(run.complete_until)}. Its bars are hatched.`);
  }
  const late = Date.now() - new Date(run.exported_at);
  if (view.run === "latest" && late > STALE) {
    texts.push(`This is the newest ranking, and it was exported ${age(run.exported_at)}; rank_authors exports every hour while posts arrive. `);
  }
  const links = view.run === "latest" && late > STALE ? [linkOut("../dags/rank_authors", "See its runs")] : [];
  at("notice").replaceChildren(texts.join(" "), ...links);
  at("notice").classList.toggle("hatched", !ranking.window.complete);
  at("notice").hidden = !texts.length;
}

function remember() {
  const words = { run: view.run === "latest" ? "" : view.run, per: view.granularity, window: view.window, network: view.network,
    q: view.query, sort: view.sort === "rank" ? "" : view.sort, desc: view.descending ? "1" : "" };
  history.replaceState(null, "", `?${new URLSearchParams(Object.entries(words).filter(([, word]) => word))}`);
}

function hide() {
  at("content").hidden = true;
  at("filters").hidden = at("heading").hidden = at("notice").hidden = true;
}

async function lookForNewer() {
  showAge();
  if (view.run !== "latest") return;
  const newest = await fetch("api/v1/runs/latest").catch(() => null);
  if (!newest?.ok) return;
  if (!run) show(loadRun);
  else at("newer").hidden = (await newest.json()).run === run.run;
}

function step(by) {
  const here = windows.findIndex(({ start }) => start === view.window);
  choose({ window: windows[here + by].start }, loadRanking);
}

function choose(change, act) {
  Object.assign(view, change);
  show(act);
}

function turn(where) {
  const last = Math.ceil(matches.length / PAGE) - 1;
  view.page = { first: 0, previous: view.page - 1, next: view.page + 1, last }[where];
  show(showPage);
  at("ranking").scrollIntoView();
  at("ranking").focus({ preventScroll: true });
}

function sortBy(column) {
  const descending = column === view.sort ? !view.descending : DESCENDING.includes(column);
  choose({ sort: column, descending }, showMatches);
}

foldFilters();
at("granularity").addEventListener("change", ({ target }) => choose({ granularity: target.value }, loadWindows));
at("day").addEventListener("change", ({ target }) => {
  const last = windows.filter(({ start }) => dayLabel(start) === target.value);
  choose({ window: (last.findLast(({ complete }) => complete) ?? last.at(-1)).start }, loadRanking);
});
at("time").addEventListener("change", ({ target }) => choose({ window: target.value }, loadRanking));
at("older").addEventListener("click", () => step(-1));
at("later").addEventListener("click", () => step(1));
at("network").addEventListener("change", ({ target }) => choose({ network: target.value }, showMatches));
at("search").addEventListener("input", ({ target }) => choose({ query: target.value }, showMatches));
at("controls").addEventListener("submit", (event) => event.preventDefault());
at("newer").addEventListener("click", () => choose({ window: null }, loadRun));
at("pager").addEventListener("click", ({ target }) => target.dataset.go && turn(target.dataset.go));
table.tHead.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-sort]");
  if (button) sortBy(button.dataset.sort);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || /^(input|select)$/i.test(event.target.tagName) && event.target.type !== "radio") return;
  event.preventDefault();
  at("filters").open = true;
  at("search").focus();
});
document.addEventListener("visibilitychange", () => document.hidden || lookForNewer());
setInterval(lookForNewer, LOOK_AGAIN);
showPages("leaderboard");
followTheme();
followZone(() => show(loadRun));
show(loadRun);
