// Small charts as SVG. Colours come from the style sheet, by class; each chart says in words what it shows.

import { shape } from "./elements.js";
import { count, instant, span, STEP_SECONDS, timeOf } from "./format.js";

const WIDTH = 132, HEIGHT = 28;
let serial = 0; // of patterns: an id is unique on its page

/** The most posts in one step of any of the series: the scale that sparklines of a table share. */
export const largest = (series) => Math.max(1, ...series.flatMap((steps) => steps.map(([, posts]) => posts)));

/** Posts per step of a course, on a scale up to `top`; the selected window is marked, its peak named. */
export function sparkline(steps, course, top) {
  const { granularity, start, steps: length, selected } = course;
  const peak = steps.reduce((best, step) => (step[1] > best[1] ? step : best));
  const wide = WIDTH / length;
  const words = `peak in the ${granularity} from ${stepTime(start, granularity, peak[0])}: ${count(peak[1])} posts`;
  const picture = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img", "aria-label": words },
    shape("title", {}, words));
  if (selected[1] - selected[0] < length) {
    const width = (selected[1] - selected[0]) * wide;
    picture.append(shape("rect", { x: selected[0] * wide, y: 0, width, height: HEIGHT, class: "selected" }));
  }
  for (const [step, posts] of steps) {
    const height = Math.max(1.5, (posts / top) * (HEIGHT - 2));
    const name = step === peak[0] ? "mark peak" : "mark";
    picture.append(shape("rect", { x: step * wide, y: HEIGHT - height, width: Math.max(1, wide - 0.8), height, class: name }));
  }
  picture.append(shape("path", { d: `M0 ${HEIGHT - 0.5}H${WIDTH}`, class: "base" }));
  return { picture, peak: peak[1] };
}

/** The instant at which a step starts, as text: a time within an hour, else a date and a time. */
export function stepTime(start, granularity, step) {
  const text = new Date(new Date(start).getTime() + step * STEP_SECONDS[granularity] * 1000).toISOString();
  return granularity === "minute" ? timeOf(text) : instant(text);
}

/** What the sparklines of a column show, for its head: the range, the scale, the numbers at the right. */
export function courseDetail({ granularity, start, steps }, top) {
  const end = new Date(new Date(start).getTime() + steps * STEP_SECONDS[granularity] * 1000).toISOString();
  const range = granularity === "minute" ? `${timeOf(start)} to ${timeOf(end)}` : span(start, end);
  return `${range}; scale 0 to ${count(top)}, peaks at the right`;
}

/**
 * Bars over time, with a scale, times and the peak. `values` has a number for each step, or null where nothing is
 * known; `name(step)` words a step, `hatched(step)` says whether it is incomplete.
 */
export function columnChart(values, { label, unit, name, tick, hatched = () => false }) {
  const width = 960, height = 220, left = 56, top = 24, bottom = 26;
  const most = ceiling(Math.max(1, ...values.filter((value) => value !== null)));
  const tall = height - top - bottom, wide = (width - left) / values.length;
  const peak = values.indexOf(Math.max(...values));
  const y = (value) => top + tall * (1 - value / most);
  const pattern = `hatch-${(serial += 1)}`;
  const picture = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: "chart" },
    shape("title", {}, label), hatch(pattern));
  for (const part of [0, 0.5, 1]) {
    picture.append(shape("path", { d: `M${left} ${y(part * most)}H${width}`, class: "grid" }),
      shape("text", { x: left - 8, y: y(part * most) + 4, class: "end" }, count(part * most)));
  }
  const every = Math.max(1, Math.ceil(values.length / 8));
  values.forEach((value, step) => {
    const x = left + step * wide;
    if (value) {
      picture.append(shape("rect", { x, y: y(value), width: Math.max(1, wide - 1), height: tall + top - y(value),
        class: hatched(step) ? "hatched" : step === peak ? "mark peak" : "mark", fill: hatched(step) ? `url(#${pattern})` : null },
        shape("title", {}, `${name(step)}: ${count(value)} ${unit}`)));
    }
    if (step % every === 0 && x < width - 40) {
      picture.append(shape("path", { d: `M${x} ${top + tall}v4`, class: "grid" }),
        shape("text", { x, y: height - 6, class: step ? "mid" : "" }, tick(step)));
    }
  });
  if (peak >= 0 && values[peak]) {
    const x = left + (peak + 0.5) * wide;
    picture.append(shape("text", { x, y: y(values[peak]) - 6, class: x > width - 120 ? "end strong" : x < left + 120 ? "strong" : "mid strong" },
      `${count(values[peak])} ${unit}`));
  }
  return picture;
}

/** The next 1, 2, 3, 4, 6 or 8 times a power of ten: the top of a scale that can be read. */
export function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 4, 6, 8, 10].map((part) => part * power).find((candidate) => candidate >= value);
}

function hatch(id) {
  return shape("defs", {}, shape("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    shape("rect", { width: 3, height: 6, class: "mark" })));
}
