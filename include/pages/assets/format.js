// How numbers, times and movements are worded: one form everywhere, in the time zone that Airflow's switch selects.

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const number = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 2, maximumFractionDigits: 2 });

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];
export const STEP_SECONDS = { minute: 60, hour: 3600, day: 86400 };
export const GRANULARITIES = { minute: "Minute", hour: "Hour", day: "Day", all: "Whole interval" };
export const METRICS = { posts: "posts", peak_60s: "peak in 60 s" };

const utcDay = formatter("UTC", { day: "numeric", month: "short", year: "numeric" });
let zone, day, time;
setZone("UTC");

/** Show times in an IANA time zone; an unknown one is UTC. */
export function setZone(name) {
  try {
    new Intl.DateTimeFormat("en-GB", { timeZone: name });
    zone = name;
  } catch {
    zone = "UTC";
  }
  if (/^(Etc\/)?(UTC|GMT|Greenwich|Universal|Zulu)$/.test(zone)) zone = "UTC";
  day = formatter(zone, { day: "numeric", month: "short", year: "numeric" });
  time = formatter(zone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

export const zoneName = () => zone;
export const count = (value) => number.format(value);
export const mean = (value) => compact.format(value);
export const share = (value) => percent.format(value);
export const plural = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
export const dayOf = (text) => day.format(new Date(text));
export const timeOf = (text) => time.format(new Date(text));
/** "1 May 2026, 11:00", without the zone. */
export const moment = (text) => `${dayOf(text)}, ${timeOf(text)}`;
/** "1 May 2026, 11:00 UTC" */
export const instant = (text) => `${moment(text)} ${zone}`;

/** "3 hours ago": how long ago an instant was. */
export function age(text) {
  const seconds = (Date.now() - new Date(text)) / 1000;
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? ["second", 1];
  return relative.format(-Math.floor(seconds / length), unit);
}

/** A span in words, as short as its days allow; an end at midnight is 24:00 of the day before. */
export function span(start, end) {
  const last = new Date(new Date(end) - 1);
  const until = timeOf(end) === "00:00" ? "24:00" : timeOf(end);
  if (dayOf(start) === dayOf(last)) return `${dayOf(start)}, ${timeOf(start)} to ${until} ${zone}`;
  return `${moment(start)} to ${dayOf(last)}, ${until} ${zone}`;
}

/** A window in words. Days are those of UTC, whatever the zone. */
export function windowName(granularity, start, end) {
  if (granularity !== "day") return span(start, end);
  return zone === "UTC" ? utcDay.format(new Date(start)) : `${utcDay.format(new Date(start))} (a day of UTC)`;
}

/** Where an author was before: [sign, words, kind]. */
export function movement(rank, previous) {
  if (previous === null) return ["new", "not in the previous window", "new"];
  const by = previous - rank;
  if (by === 0) return ["–", "unchanged", "same"];
  return by > 0 ? [`▲ ${count(by)}`, `up from ${count(previous)}`, "up"] : [`▼ ${count(-by)}`, `down from ${count(previous)}`, "down"];
}

function formatter(timeZone, parts) {
  return new Intl.DateTimeFormat("en-GB", { timeZone, ...parts });
}
