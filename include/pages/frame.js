// Living inside the Airflow UI: the page is framed there, follows its theme, and leaves the frame by its links.

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
  const theirs = outside.document.documentElement;
  const take = () => {
    const dark = theirs.classList.contains("dark") || theirs.dataset.theme === "dark";
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  };
  take();
  new MutationObserver(take).observe(theirs, { attributes: true, attributeFilter: ["class", "data-theme"] });
}

/** A link that opens in place of the whole UI: the frame's sandbox lets no link of its own do that. */
export function linkOut(href, text) {
  const link = document.createElement("a");
  link.href = href;
  link.textContent = text;
  link.addEventListener("click", (event) => {
    if (!outside || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const twin = outside.document.createElement("a");
    twin.href = link.href;
    twin.click();
  });
  return link;
}
