// Living inside the Airflow UI: a page is framed there, follows its theme and time zone, and leaves the frame by links.

import { element } from "./elements.js";
import { setZone } from "./format.js";

const ZONE_KEY = "timezone"; // where Airflow's UI keeps its time-zone switch, as JSON
const PAGES = { now: "Now", leaderboard: "Leaderboard", trends: "Trends", runs: "Runs" };

const outside = (() => {
  try {
    return window.parent !== window && window.parent.document ? window.parent : null;
  } catch {
    return null; // framed by another site: nothing of it can be read
  }
})();

/** Take on the UI's light or dark, now and whenever it changes; without a UI around, the system's choice holds. */
export function followTheme() {
  if (!outside) return;
  const root = outside.document.documentElement;
  const take = () => {
    const dark = root.classList.contains("dark") || root.dataset.theme === "dark";
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  };
  take();
  new MutationObserver(take).observe(root, { attributes: true, attributeFilter: ["class", "data-theme"] });
}

/** Use the time zone of Airflow's switch, now and whenever it changes; `show` words the times again. */
export function followZone(show) {
  setZone(selectedZone());
  window.addEventListener("storage", ({ key }) => {
    if (key !== ZONE_KEY && key !== null) return;
    setZone(selectedZone());
    show();
  });
}

/** The links between the pages, with the current one marked. */
export function showPages(current) {
  const links = Object.entries(PAGES).map(([name, text]) =>
    element("li", {}, element("a", { href: name, "aria-current": name === current && "page" }, text)));
  document.getElementById("pages").replaceChildren(element("ul", {}, ...links));
}

/** On a narrow screen the filters are folded, so that the table comes first. */
export function foldFilters() {
  const narrow = matchMedia("(max-width: 34rem)");
  const fold = () => {
    document.getElementById("filters").open = !narrow.matches;
  };
  narrow.addEventListener("change", fold);
  fold();
}

/** A link that opens in place of the whole UI, or downloads: the frame's sandbox lets no link of its own do that. */
export function linkOut(href, text, attributes = {}) {
  const link = element("a", { href, ...attributes }, text);
  link.addEventListener("click", (event) => {
    if (!outside || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const twin = outside.document.createElement("a");
    twin.href = link.href;
    for (const [name, value] of Object.entries(attributes)) twin.setAttribute(name, value);
    twin.click();
  });
  return link;
}

/** As Airflow's UI does, the browser's zone until one is selected. */
function selectedZone() {
  const stored = localStorage.getItem(ZONE_KEY);
  const usual = Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    return JSON.parse(stored) || usual;
  } catch {
    return stored || usual;
  }
}
