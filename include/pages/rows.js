// The rows of the table. What strangers wrote is set as text, never as markup.

import { count, moment, movement, share, timeOf } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 132, HEIGHT = 28;

/** A row element for the author at index `at` of the ranking's columns. */
export function rowOf(columns, at, widest) {
  const row = document.createElement("tr");
  const rank = columns.rank[at];
  row.dataset.rank = rank;
  row.append(
    cell("number rank", count(rank)),
    changeCell(rank, columns.previous_rank[at]),
    authorCell(columns, at),
    cell("number", count(columns.posts[at])),
    shareCell(columns.share[at], widest),
    cell("number", count(columns.peak_60s[at] ?? 0)),
    cell("course"),
  );
  return row;
}

/** Draw the posts per step of the authors in these rows; `course` as the server gives it, null if there is none. */
export function drawCourses(body, course) {
  for (const row of body.rows) {
    const steps = course?.series[row.dataset.rank];
    if (steps?.length) row.lastElementChild.replaceChildren(sparkline(steps, course));
  }
}

function cell(name, text = "") {
  const made = document.createElement("td");
  made.className = name;
  made.textContent = text;
  return made;
}

function piece(tag, name, text) {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

function changeCell(rank, previous) {
  const [sign, words, kind] = movement(rank, previous);
  const made = cell(`change ${kind}`);
  const shown = piece("span", "", sign);
  shown.setAttribute("aria-hidden", "true");
  made.append(shown, piece("span", "unseen", words));
  made.title = words;
  return made;
}

function authorCell(columns, at) {
  const made = document.createElement("th");
  made.scope = "row";
  made.className = "author";
  const id = columns.author_id[at], handle = columns.author_handle[at], name = columns.author_name[at];
  const first = piece("bdi", "name", name || handle || id);
  const second = piece("bdi", "handle", name && handle ? `@${handle}` : name || handle ? id : "");
  made.append(first, second, piece("span", "network", columns.network[at]));
  made.title = `${columns.network[at]} ${id}`;
  return made;
}

function shareCell(value, widest) {
  const made = cell("share");
  const bar = piece("span", "bar", "");
  bar.style.setProperty("--part", `${(100 * value) / widest}%`);
  made.append(bar, piece("span", "", share(value)));
  return made;
}

function sparkline(steps, { granularity, start, steps: length }) {
  const most = steps.reduce((best, step) => (step[1] > best[1] ? step : best));
  const picture = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img" });
  const wide = WIDTH / length;
  for (const [at, posts] of steps) {
    const tall = Math.max(1.5, (posts / most[1]) * (HEIGHT - 2));
    const name = at === most[0] ? "most" : "step";
    const thick = Math.max(1, wide - 0.8);
    picture.append(shape("rect", { x: at * wide, y: HEIGHT - tall, width: thick, height: tall, class: name }));
  }
  picture.append(shape("path", { d: `M0 ${HEIGHT - 0.5}H${WIDTH}`, class: "base" }));
  const seconds = { minute: 60, hour: 3600, day: 86400 }[granularity];
  const instant = new Date(new Date(start).getTime() + most[0] * seconds * 1000).toISOString();
  const when = granularity === "minute" ? timeOf(instant) : moment(instant);
  const words = `peak in the ${granularity} from ${when}: ${count(most[1])} posts`;
  picture.setAttribute("aria-label", words);
  picture.append(Object.assign(shape("title", {}), { textContent: words }));
  return picture;
}

function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
