// How numbers, times and movements are worded. Times are UTC: windows are cut in UTC.

const day = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" });
const time = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", hour: "2-digit", minute: "2-digit" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const number = new Intl.NumberFormat("en");
const percent = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 2, maximumFractionDigits: 2 });

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

export const count = (value) => number.format(value);
export const share = (value) => percent.format(value);
export const dayOf = (text) => day.format(new Date(text));
export const timeOf = (text) => time.format(new Date(text));
export const moment = (text) => `${dayOf(text)}, ${timeOf(text)}`;

/** "3 hours ago": how long ago an instant was. */
export function age(text) {
  const seconds = (Date.now() - new Date(text)) / 1000;
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? ["second", 1];
  return relative.format(-Math.floor(seconds / length), unit);
}

/** A window in words, as short as its granularity allows. */
export function windowName(granularity, [start, end]) {
  if (granularity === "day") return dayOf(start);
  if (granularity === "all") return `${moment(start)} to ${moment(end)} UTC`;
  const last = timeOf(end);
  return `${dayOf(start)}, ${timeOf(start)} to ${last === "00:00" ? "24:00" : last} UTC`;
}

/** Where an author came from: [sign, words, kind]. */
export function movement(rank, previous) {
  if (previous === null) return ["new", "not in the previous window", "new"];
  const by = previous - rank;
  if (by === 0) return ["–", "unchanged", "same"];
  return by > 0 ? [`▲ ${count(by)}`, `up from ${count(previous)}`, "up"] : [`▼ ${count(-by)}`, `down from ${count(previous)}`, "down"];
}
