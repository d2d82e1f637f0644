// Elements, icons and what is read aloud. Text only ever becomes text: nothing parses HTML.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  check: "M4 10.5 8 14.5 16 6",
  close: "M5 5 15 15M15 5 5 15",
  copy: "M7 7V4h9v9h-3M4 7h9v9H4z",
  expand: "M11.5 4H16v4.5M16 4l-5 5M8.5 16H4v-4.5M4 16l5-5",
  filter: "M3 5H17M6 10H14M8.5 15h3",
  fit: "M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4",
  left: "M12.5 4 6.5 10l6 6",
  like: "M8.5 4a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M12 12l5 5M8.5 6.5v4M6.5 8.5h4",
  minus: "M4 10H16",
  plus: "M10 4V16M4 10H16",
  region: "M4 7 9 4 16 6 15 13 9 16 5 13z",
  right: "M7.5 4l6 6-6 6",
  search: "M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4M12.6 12.6 17 17",
  up: "M10 16V4M5 9l5-5 5 5",
};

/** Make an element: attributes, `on` for listeners, `style` for properties; nothing for null. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") listen(node, value);
    else if (name === "style") restyle(node, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

function listen(node, listeners) {
  for (const [event, listener] of Object.entries(listeners)) node.addEventListener(event, listener);
}

/** Set properties by CSSOM, which the page's policy allows where a style attribute is refused. */
export function restyle(node, properties) {
  for (const [name, value] of Object.entries(properties)) node.style.setProperty(name, value);
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

export function icon(name) {
  const drawn = svg("svg", { viewBox: "0 0 20 20", class: "icon", "aria-hidden": "true" });
  drawn.append(svg("path", { d: ICONS[name] }));
  return drawn;
}

/** Make a button: an icon with a name that is read, or both where `text` is set. */
export function button({ name, text, symbol, on, class: kind = "plain", ...attributes }) {
  const label = text ? {} : { "aria-label": name, title: name };
  const inside = [symbol ? icon(symbol) : null, text ? el("span", {}, text) : null];
  const events = typeof on === "function" ? { click: on } : on;
  return el("button", { type: "button", class: kind, ...label, ...attributes, on: events ?? {} }, ...inside);
}

export function find(selector) {
  return document.querySelector(selector);
}

export function fill(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** List facts: pairs of a name and what is known; those without are left out. */
export function factList(rows, attributes = { class: "facts" }) {
  const known = rows.filter(([, value]) => value);
  return el("dl", attributes, known.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

export function title(text) {
  return el("h1", { class: "status" }, text);
}

export function busy(panel, is) {
  panel.setAttribute("aria-busy", String(is));
}

/** Show a sentence where a view has nothing, or failed. */
export function notice(title, text = "", ...actions) {
  return el("div", { class: "notice" }, el("h2", {}, title), text ? el("p", {}, text) : null, ...actions);
}

export function announce(text) {
  const live = find("#live");
  live.textContent = "";
  setTimeout(() => {
    live.textContent = text;
  }, 60);
}

export async function copy(text, source) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text, source);
  }
  announce("Copied");
  source.classList.add("done");
  setTimeout(() => source.classList.remove("done"), 1500);
}

/** Copy where the page is not served securely, and has no clipboard. */
function copyBySelection(text, source) {
  const area = el("textarea", { class: "unseen", readonly: true });
  area.value = text;
  source.after(area); // inside a dialog, where it can be focused
  area.select();
  document.execCommand("copy");
  area.remove();
  source.focus();
}

export function debounce(call, milliseconds) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(call, milliseconds, ...values);
  };
}

export const calm = matchMedia("(prefers-reduced-motion: reduce)");
