// Who wrote most in the newest 60 seconds, asked for again every few seconds while the page is visible.

import { get } from "./api.js";
import { at, element, fill } from "./elements.js";
import { age, count, instant } from "./format.js";
import { followTheme, followZone, showPages } from "./frame.js";
import { badge } from "./rows.js";
import { load, say, showContent } from "./states.js";

const EVERY = 3000; // ms
const STALE = 120000; // ms

const [body] = document.querySelector("table").tBodies;
const view = { network: new URLSearchParams(location.search).get("network") ?? "" };
let board = null;
let timer = null;

async function loadBoard() {
  clearTimeout(timer);
  try {
    board = await get("live", { network: view.network });
    show();
  } catch (error) {
    if (error.status !== 404) throw error;
    say("There is no warehouse", `${error.message}. docs/operations/warehouse.md says how to set one up.`);
  } finally {
    timer = setTimeout(refresh, EVERY);
  }
}

function show() {
  const { networks, rows } = board;
  fill(at("network"), [["", "all networks"], ...networks.map(({ network }) => [network, network])], view.network);
  if (!networks.length) {
    say("No author window has arrived yet", "postrank live copies them from the stream, seconds after the posts.");
    return;
  }
  const emitted = newest(networks.map(({ emitted_at: time }) => time));
  const written = newest(networks.map(({ window_end: time }) => time));
  const stale = Date.now() - new Date(emitted) > STALE ? " Is the streamer up, and postrank live?" : "";
  at("status").textContent = `The newest window was emitted ${age(emitted)}; the newest post was written ${age(written)}.${stale}`;
  body.replaceChildren(...rows.map(rowOf));
  showContent();
}

const newest = (times) => times.reduce((one, other) => (new Date(one) > new Date(other) ? one : other));

function rowOf({ rank, network, author, posts, window_end: end }) {
  return element("tr", {},
    element("td", { class: "number" }, count(rank)),
    element("td", { class: "author" }, element("bdi", { class: "name" }, author)),
    element("td", { class: "network" }, badge(network)),
    element("td", { class: "number" }, count(posts)),
    element("td", { class: "wide" }, element("time", { datetime: end }, instant(end))));
}

function refresh() {
  if (document.hidden) return;
  load(loadBoard);
}

at("choice").addEventListener("submit", (event) => event.preventDefault());
at("network").addEventListener("change", ({ target }) => {
  view.network = target.value;
  history.replaceState(null, "", view.network ? `?${new URLSearchParams(view)}` : location.pathname);
  load(loadBoard);
});
document.addEventListener("visibilitychange", refresh);
showPages("now");
followTheme();
followZone(() => board && show());
load(loadBoard);
