// What a page says when there is nothing to show, or when what it shows needs an explanation.

import { dropRequests } from "./api.js";
import { at, element } from "./elements.js";
import { linkOut } from "./frame.js";

const PATIENCE = 300; // ms before a loading message is shown

/** Do what fetches; what is still under way for an older choice is dropped. `hide` empties the page on a failure. */
export async function load(act, hide) {
  dropRequests();
  document.body.setAttribute("aria-busy", "true");
  const patience = setTimeout(sayLoading, PATIENCE);
  try {
    await act();
    document.body.removeAttribute("aria-busy");
  } catch (error) {
    if (error.name !== "AbortError") fail(error, () => load(act, hide), hide);
  } finally {
    clearTimeout(patience);
  }
}

/** Explain a state in place of what the page would show. */
export function say(title, ...content) {
  at("status").textContent = "";
  at("message").replaceChildren(element("h2", {}, title), element("p", {}, ...content));
  at("message").hidden = false;
  at("content").hidden = true;
}

export function showContent() {
  at("message").hidden = true;
  at("content").hidden = false;
}

/** Where nothing is shown yet, say that it is on its way. */
function sayLoading() {
  if (at("content").hidden) {
    at("message").hidden = true;
    at("status").textContent = "Loading …";
  }
}

function fail(error, again, hide) {
  document.body.removeAttribute("aria-busy");
  hide?.();
  say(...explanation(error));
  const button = element("button", { type: "button" }, "Try again");
  button.addEventListener("click", again);
  at("message").append(button);
}

/** The title and the text of a failure: what happened, and what to do. */
function explanation(error) {
  const reason = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}. `;
  switch (error.code ?? error.status) {
    case "unknown_run":
      return ["There is no such run", reason, element("a", { href: "runs" }, "All runs"), " · ",
        element("a", { href: "leaderboard" }, "The newest ranking")];
    case "nothing_exported":
      return ["Nothing is ranked yet", reason, "The first ranking appears after ",
        linkOut("../dags/rank_authors", "rank_authors"), " has exported one; this page checks every minute."];
    case "not_exported":
      return ["This run does not have that", reason, element("a", { href: "runs" }, "All runs")];
    case 401:
      return ["You are logged out", "Log in to Airflow again to see the ranking."];
    case 403:
      return ["You may not see this", "It is shown to users who may read the runs of rank_authors."];
    default:
      return ["The ranking cannot be shown", reason];
  }
}
