// Elements, icons and what is read aloud. Text only ever becomes text: nothing parses HTML.

const SVG = "http://www.w3.org/2000/svg";
const SEEN = 5000; // milliseconds
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

/** Make an element of "tag.class": attributes, if any (`on` listens, `style` sets properties), then children. */
export function el(name, ...children) {
  const [tag, ...kinds] = name.split(".");
  const node = document.createElement(tag);
  if (kinds.length) node.className = kinds.join(" ");
  const attributes = children[0]?.constructor === Object ? children.shift() : {};
  for (const [attribute, value] of Object.entries(attributes)) {
    if ([null, undefined, false].includes(value)) continue;
    if (attribute === "on") listen(node, value);
    else if (attribute === "style") restyle(node, value);
    else node.setAttribute(attribute, value);
  }
  node.append(...present(children));
  return node;
}

function present(children) {
  return children.flat().filter(Boolean);
}

export function listen(node, listeners) {
  for (const [event, listener] of Object.entries(listeners)) node.addEventListener(event, listener);
}

/** Set properties by CSSOM, which the page's policy allows where a style attribute is refused. */
export function restyle(node, properties) {
  for (const [name, value] of Object.entries(properties)) node.style.setProperty(name, value);
}

function svg(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function icon(name) {
  const drawn = svg("svg", { viewBox: "0 0 20 20", class: "icon", "aria-hidden": "true" });
  drawn.append(svg("path", { d: ICONS[name] }));
  return drawn;
}

/** Make a button: an icon with a name that is read, or both where `text` is set. */
export function button({ name, text, symbol, on, class: kind = "plain", ...attributes }) {
  const label = text ? {} : { "aria-label": name, title: name };
  const inside = [symbol && icon(symbol), text && el("span", text)];
  const events = typeof on === "function" ? { click: on } : on;
  return el("button", { type: "button", class: kind, ...label, ...attributes, on: events ?? {} }, ...inside);
}

export function find(selector) {
  return document.querySelector(selector);
}

export function fill(node, ...children) {
  node.replaceChildren(...present(children));
  return node;
}

export function closeButton(on) {
  return button({ name: "Close", symbol: "close", class: "plain close", "data-act": "close", on });
}

/** List facts: pairs of a name and what is known; those without are left out. */
export function factList(rows, attributes = { class: "facts" }) {
  const known = rows.filter(([, value]) => value);
  return el("dl", attributes, known.flatMap(([name, value]) => [el("dt", name), el("dd", value)]));
}

export function title(text) {
  return el("h1.status", text);
}

export function busy(panel, is) {
  panel.setAttribute("aria-busy", is);
}

/** Show a sentence where a view has nothing, or failed. */
export function notice(title, text = "", ...actions) {
  return el("div.notice", el("h2", title), text && el("p", text), ...actions);
}

const live = find("#live");

export function announce(text) {
  onTop(live);
  live.textContent = "";
  setTimeout(() => {
    live.textContent = text;
  }, 60);
}

/** Show a text for a while, and have it read aloud. */
export function toast(text) {
  const seen = el("p.toast", { "aria-hidden": "true" }, text);
  find(".toast")?.remove();
  onTop(seen);
  setTimeout(() => seen.remove(), SEEN);
  announce(text);
}

/** Put a node where it is seen and heard: while a dialog is open, all outside it is dead. */
function onTop(node) {
  (find("dialog[open]") ?? document.body).append(node);
}

export function message(title, ...inside) {
  const dialog = find("#message");
  const close = button({ text: "Close", on: () => dialog.close() });
  fill(dialog, el("h2", title), ...inside, close);
  dialog.showModal();
}

export function copyButton(text, attributes) {
  const node = button({ symbol: "copy", ...attributes, on: () => copy(text, node) });
  return node;
}

async function copy(text, source) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text, source);
  }
  toast("Copied");
}

/** Copy where the page is not served securely, and has no clipboard. */
function copyBySelection(text, source) {
  const area = el("textarea.unseen", { readonly: true });
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
