// The exported runs, newest first, and the choice of two to compare.

import { get } from "./api.js";
import { at, element } from "./elements.js";
import { age, count, instant, plural, span } from "./format.js";
import { followTheme, followZone, linkOut, showPages } from "./frame.js";
import { narrowings } from "./scope.js";
import { load, say, showContent } from "./states.js";

const [body] = document.querySelector("table").tBodies;
let runs = []; // as the API lists them
let latest = null; // the run that the leaderboard shows
let next = null; // where the next page starts
const selected = new Set();

async function loadPage(before) {
  const page = await get("runs", { before });
  runs = [...(before ? runs : []), ...page.runs];
  ({ latest, next } = page);
  show();
}

function show() {
  at("status").textContent = runs.length ? `${plural(runs.length, "run")} listed${next ? ", there are older ones" : ""}.` : "";
  if (!runs.length) {
    say("No run has exported a ranking yet", "The first appears after ", linkOut("../dags/rank_authors", "rank_authors"), " has exported one.");
    return;
  }
  showContent();
  body.replaceChildren(...runs.map(rowOf));
  at("more").hidden = !next;
  showSelection();
}

function rowOf(run) {
  const box = element("input", { type: "checkbox", "aria-label": `Compare ${run.run_id}`, value: run.run });
  box.checked = selected.has(run.run);
  const dagRun = `../dags/${encodeURIComponent(run.dag_id)}/runs/${encodeURIComponent(run.run_id)}`;
  return element("tr", {},
    element("td", {}, box),
    element("th", { scope: "row" }, element("a", { href: `leaderboard?run=${run.run}` }, run.run_id),
      run.run === latest ? element("span", { class: "badge" }, "newest") : null),
    element("td", { class: "wide" }, element("time", { datetime: run.exported_at, title: instant(run.exported_at) }, age(run.exported_at))),
    element("td", {}, span(run.interval.start, run.interval.end)),
    element("td", { class: "number" }, run.counts.posts === undefined ? "" : count(run.counts.posts)),
    element("td", { class: "wide" }, run.granularities.length ? narrowings(run).join("; ") : "ranked no authors"),
    element("td", { class: "wide links" }, linkOut(`runs/${run.run}/report`, "Report"), " ", linkOut(dagRun, "DAG run"), " ",
      linkOut(`api/v1/runs/${run.run}/manifest`, "Manifest")));
}

function showSelection() {
  at("compare").disabled = selected.size !== 2;
  for (const box of body.querySelectorAll("input")) box.disabled = selected.size === 2 && !box.checked;
}

function compare() {
  const [first, second] = runs.map(({ run }) => run).filter((run) => selected.has(run)).reverse();
  location.assign(`compare?${new URLSearchParams({ first, second })}`);
}

body.addEventListener("change", ({ target }) => {
  if (target.checked) selected.add(target.value);
  else selected.delete(target.value);
  showSelection();
});
at("compare").addEventListener("click", compare);
at("more").addEventListener("click", () => load(() => loadPage(next)));
showPages("runs");
followTheme();
followZone(() => runs.length && show());
load(() => loadPage());
