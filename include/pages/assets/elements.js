// Elements of HTML and SVG. Children that are strings become text, never markup: names come from strangers.

const SVG = "http://www.w3.org/2000/svg";

export const at = (id) => document.getElementById(id);

export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function shape(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** Text that only screen readers get. */
export const unseen = (text) => element("span", { class: "unseen" }, text);

export function fill(select, options, selected) {
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value, false, value === selected)));
}

/** "a, b and c" */
export function listed(texts) {
  return new Intl.ListFormat("en-GB").format(texts);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}
