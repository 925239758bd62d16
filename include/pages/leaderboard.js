// The leaderboard: what is chosen, what is fetched for it, what is shown. The choice lives in the address, so that a
// view can be shared.

import { age, count, dayOf, moment, timeOf, windowName } from "./format.js";
import { followTheme, linkOut } from "./frame.js";
import { drawCourses, rowOf } from "./rows.js";

const PAGE = 100; // rows on a page: as many as a table lays out without being felt
const LOOK_AGAIN = 60_000; // ms between two looks for a newer run
const PATIENCE = 300; // ms before a loading message is shown
const NAMES = { minute: "Minute", hour: "Hour", day: "Day", all: "Whole interval" };

const at = (id) => document.getElementById(id);
const table = document.querySelector("table");
const [body] = table.tBodies;
const asked = new URLSearchParams(location.search);
const view = {
  run: asked.get("run") ?? "latest",
  granularity: asked.get("per"),
  window: asked.get("window"),
  network: asked.get("network") ?? "",
  query: asked.get("q") ?? "",
  page: 0,
};
let run = null; // what the server says of the run
let windows = []; // [start, end] of the chosen granularity, oldest first
let ranking = null; // the chosen window's ranking, by column
let haystacks = []; // per row of the ranking, what a search looks at
let found = []; // the rows of the ranking that pass network and search
let fetching = new AbortController();

async function get(path, parameters = {}) {
  const answer = await fetch(`api/runs/${path}?${new URLSearchParams(parameters)}`, { signal: fetching.signal });
  if (answer.ok) return answer.json();
  const { detail } = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(typeof detail === "string" ? detail : answer.statusText), { status: answer.status });
}

/** Do what fetches; what is still under way for an older choice is dropped. */
async function load(act) {
  fetching.abort();
  fetching = new AbortController();
  document.body.setAttribute("aria-busy", "true");
  const patience = setTimeout(sayLoading, PATIENCE);
  try {
    await act();
    document.body.removeAttribute("aria-busy");
  } catch (error) {
    if (error.name !== "AbortError") fail(error);
  } finally {
    clearTimeout(patience);
  }
}

/** Where nothing is shown yet, say that it is on its way. */
function sayLoading() {
  if (table.hidden) {
    at("message").hidden = true;
    at("status").textContent = "Loading the ranking…";
  }
}

async function loadRun() {
  run = await get(view.run);
  if (!run.granularities.length) throw Object.assign(new Error(`run ${run.run} ranked no authors`), { status: 404 });
  if (!run.granularities.includes(view.granularity)) {
    view.granularity = run.granularities.includes("hour") ? "hour" : run.granularities.at(-1);
  }
  showRun();
  await loadWindows();
}

async function loadWindows() {
  ({ windows } = await get(`${run.run}/windows`, { granularity: view.granularity }));
  if (!windows.some(([start]) => start === view.window)) view.window = nearest(view.window);
  await loadRanking();
}

/** The window that holds an instant, so that a change of granularity stays near; else the newest. */
function nearest(instant) {
  return (windows.find(([start, end]) => instant >= start && instant < end) ?? windows.at(-1))[0];
}

async function loadRanking() {
  showWindows();
  const answer = await get(`${run.run}/ranking`, { granularity: view.granularity, window: view.window });
  ranking = { ...answer.columns, window: answer.window };
  haystacks = ranking.rank.map((_, row) =>
    `${ranking.author_name[row] ?? ""}\n${ranking.author_handle[row] ?? ""}\n${ranking.author_id[row]}`.toLowerCase());
  showNetworks();
  await showFound();
}

function showFound() {
  const query = view.query.trim().replace(/^@/, "").toLowerCase();
  found = [...haystacks.keys()].filter((row) =>
    (!view.network || ranking.network[row] === view.network) && haystacks[row].includes(query));
  view.page = 0;
  return showPage();
}

/** Show a page of what was found, then draw the courses of its authors when they have come. */
async function showPage() {
  const first = view.page * PAGE, rows = found.slice(first, first + PAGE);
  const widest = Math.max(...found.slice(0, 1).map((row) => ranking.share[row]), Number.MIN_VALUE);
  body.replaceChildren(...rows.map((row) => rowOf(ranking, row, widest)));
  table.classList.toggle("first-window", view.granularity === "all");
  table.hidden = !rows.length;
  at("message").hidden = rows.length > 0;
  if (!rows.length) say("No authors found", "No ranked author of this window matches the search and the network.");
  showPager(first, rows.length);
  showStatus(first, rows.length);
  remember();
  performance.mark("ranking-shown");
  if (rows.length) {
    const ranks = rows.map((row) => ranking.rank[row]).join();
    const { course } = await get(`${run.run}/courses`, { granularity: view.granularity, window: view.window, ranks });
    drawCourses(body, course);
  }
}

function showRun() {
  const { interval, counts } = run;
  const newest = document.createElement("time");
  newest.dateTime = run.exported_at;
  newest.id = "age";
  const dagRun = `../dags/${encodeURIComponent(run.dag_id)}/runs/${encodeURIComponent(run.run_id)}`;
  const posts = counts.posts === undefined ? [] : [`${count(counts.posts)} posts`];
  at("about").replaceChildren(
    [...posts, `${moment(interval.start)} to ${moment(interval.end)} UTC`].join(", "), " · exported ", newest, " · ",
    linkOut(dagRun, "DAG run"), " · ", linkOut(`api/runs/${run.run}/manifest`, "Manifest"), " · ",
    linkOut(`runs/${run.run}/report`, "Report"),
  );
  showAge();
  const legend = at("granularity").firstElementChild;
  at("granularity").replaceChildren(legend, ...run.granularities.map(choiceOf));
  at("newer").hidden = true;
  at("controls").hidden = false;
  at("search").value = view.query;
}

function showAge() {
  if (run) at("age").textContent = age(run.exported_at);
}

function choiceOf(granularity) {
  const label = document.createElement("label"), input = document.createElement("input");
  Object.assign(input, { type: "radio", name: "granularity", value: granularity });
  input.checked = granularity === view.granularity;
  label.append(input, NAMES[granularity]);
  return label;
}

function showWindows() {
  const here = windows.findIndex(([start]) => start === view.window);
  const today = view.window.slice(0, 10);
  const days = [...new Set(windows.map(([start]) => start.slice(0, 10)))];
  fill(at("day"), days.map((one) => [one, dayOf(one)]), today);
  const times = windows.filter(([start]) => start.startsWith(today)).map(([start]) => [start, timeOf(start)]);
  fill(at("time"), times, view.window);
  at("when").hidden = view.granularity === "all";
  at("time").hidden = view.granularity === "day";
  at("older").disabled = here <= 0;
  at("later").disabled = here === windows.length - 1;
}

function showNetworks() {
  const networks = [...new Set(ranking.network)].sort();
  if (view.network && !networks.includes(view.network)) networks.push(view.network);
  fill(at("network"), [["", "All networks"], ...networks.map((one) => [one, one])], view.network);
}

function showPager(first, shown) {
  at("pager").hidden = found.length <= PAGE;
  at("pager").querySelector("span").textContent = `${count(first + 1)}–${count(first + shown)} of ${count(found.length)}`;
  for (const button of at("pager").querySelectorAll("button")) {
    const back = ["first", "previous"].includes(button.dataset.go);
    button.disabled = back ? view.page === 0 : first + PAGE >= found.length;
  }
}

function showStatus(first, shown) {
  const name = windowName(view.granularity, [ranking.window.start, ranking.window.end]);
  table.caption.textContent = `Authors by posts, ${name}`;
  const part = found.length === haystacks.length ? "" : ` of ${count(haystacks.length)}`;
  const range = found.length > PAGE ? `, showing ${count(first + 1)} to ${count(first + shown)}` : "";
  at("status").textContent =
    `${name}: ${count(found.length)}${part} ranked authors${range}; ${count(ranking.window.posts)} posts in total.`;
}

function remember() {
  const words = { run: view.run === "latest" ? "" : view.run, per: view.granularity, window: view.window,
    network: view.network, q: view.query };
  history.replaceState(null, "", `?${new URLSearchParams(Object.entries(words).filter(([, word]) => word))}`);
}

function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value, false, value === chosen)));
}

function say(title, ...sentences) {
  const heading = Object.assign(document.createElement("h2"), { textContent: title });
  const text = document.createElement("p");
  text.append(...sentences);
  at("message").replaceChildren(heading, text);
  at("message").hidden = false;
}

function fail(error) {
  document.body.removeAttribute("aria-busy");
  table.hidden = at("pager").hidden = true;
  at("status").textContent = "";
  const reason = error.message.charAt(0).toUpperCase() + error.message.slice(1);
  if (error.status === 404) {
    say("Nothing is ranked yet", `${reason}. The first ranking appears after `,
      linkOut("../dags/rank_authors", "rank_authors"), " has exported one; this page checks every minute.");
  } else if (error.status === 401) {
    say("You are logged out", "Log in to Airflow again to see the ranking.");
  } else {
    say("The ranking cannot be shown", reason);
  }
  const again = Object.assign(document.createElement("button"), { type: "button", textContent: "Try again" });
  again.addEventListener("click", () => load(loadRun));
  at("message").append(again);
}

async function lookForNewer() {
  showAge();
  if (view.run !== "latest") return;
  const newest = await fetch("api/runs/latest").catch(() => null);
  if (!newest?.ok) return;
  if (!run) load(loadRun);
  else at("newer").hidden = (await newest.json()).run === run.run;
}

function step(by) {
  const here = windows.findIndex(([start]) => start === view.window);
  choose({ window: windows[here + by][0] }, loadRanking);
}

function choose(change, act) {
  Object.assign(view, change);
  load(act);
}

function turn(where) {
  const last = Math.ceil(found.length / PAGE) - 1;
  view.page = { first: 0, previous: view.page - 1, next: view.page + 1, last }[where];
  load(showPage);
  at("ranking").scrollIntoView();
  at("ranking").focus({ preventScroll: true });
}

at("granularity").addEventListener("change", ({ target }) => choose({ granularity: target.value }, loadWindows));
at("day").addEventListener("change", ({ target }) =>
  choose({ window: windows.findLast(([start]) => start.startsWith(target.value))[0] }, loadRanking));
at("time").addEventListener("change", ({ target }) => choose({ window: target.value }, loadRanking));
at("older").addEventListener("click", () => step(-1));
at("later").addEventListener("click", () => step(1));
at("network").addEventListener("change", ({ target }) => choose({ network: target.value }, showFound));
at("search").addEventListener("input", ({ target }) => choose({ query: target.value }, showFound));
at("controls").addEventListener("submit", (event) => event.preventDefault());
at("newer").addEventListener("click", () => choose({ window: null }, loadRun));
at("pager").addEventListener("click", ({ target }) => target.dataset.go && turn(target.dataset.go));
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || /^(input|select)$/i.test(event.target.tagName) && event.target.type !== "radio") return;
  event.preventDefault();
  at("search").focus();
});
document.addEventListener("visibilitychange", () => document.hidden || lookForNewer());
setInterval(lookForNewer, LOOK_AGAIN);
followTheme();
load(loadRun);
