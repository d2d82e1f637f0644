// The page: reads the summary, then shows what the address says.

import { go, link, onAddress, params } from "./address.js";
import { ask, onState } from "./api.js";
import { button, el, fill, find, notice, toast } from "./dom.js";
import { Filters, closeDrawer } from "./filters/filters.js";
import { count, many } from "./format.js";
import { showKeys, startKeys } from "./keys.js";
import { startSearch, showQuery } from "./pictures/search.js";
import { startSelectionBar } from "./selection/selection_bar.js";
import { startViewer, showViewer } from "./pictures/viewer.js";
import { Pictures } from "./pictures/pictures.js";

const TABS = [
  ["pictures", "Pictures", null],
  ["map", "Map", () => import("./map/map.js"), "index"],
  ["duplicates", "Duplicates", () => import("./tables/duplicates.js")],
  ["rejected", "Rejected", () => import("./tables/rejected.js")],
  ["quality", "Quality", () => import("./tables/quality.js"), "evaluation"],
  ["suspects", "Suspects", () => import("./tables/suspects.js"), "suspects"],
];
const SCHEMES = ["", "light", "dark"];

const views = new Map();
let summary = null;
let filters = null;

async function start() {
  find("#header-buttons").append(schemeButton(), button({ text: "?", "aria-label": "Keys", on: showKeys }));
  fill(find("#main"), notice("Loading…"));
  try {
    summary = await ask("summary");
  } catch (error) {
    const again = button({ text: "Try again", class: "primary", on: () => location.reload() });
    fill(find("#main"), notice("The collection cannot be opened", error.message, again));
    return;
  }
  find("#name").textContent = summary.name || "Mapsight";
  document.title = `${summary.name} – Mapsight`;
  filters = new Filters(find("#filters"), summary.measures);
  startSearch();
  startKeys();
  startViewer(summary);
  startSelectionBar(summary.name);
  onAddress(show);
  onState(renew);
  fill(find("#main"));
  show(params());
}

async function show(query) {
  const name = TABS.some(([known]) => known === query.get("view")) ? query.get("view") : "pictures";
  for (const [other, { panel }] of views) panel.hidden = other !== name;
  drawTabs(name);
  showQuery(query);
  const listed = name === "pictures" && summary.pictures > 0;
  find("#filters").hidden = !listed;
  document.body.classList.toggle("with-filters", listed);
  if (listed) filters.show(query);
  else closeDrawer();
  const view = await opened(name);
  if (params().toString() !== query.toString()) return;
  view.panel.hidden = false;
  view.show(query);
  showViewer(query, view);
}

async function opened(name) {
  if (views.has(name)) return views.get(name);
  const panel = el("div", { class: `view ${name}`, "aria-busy": "true", hidden: true });
  const load = TABS.find(([known]) => known === name)[2];
  const View = load ? (await load()).default : Pictures;
  if (views.has(name)) return views.get(name);
  find("#main").append(panel);
  const view = new View(panel, summary);
  view.panel = panel;
  views.set(name, view);
  return view;
}

function drawTabs(shown) {
  const counts = { pictures: summary.pictures, rejected: summary.rejected };
  const tabs = TABS.filter(([, , , needed]) => summary.has[needed] !== false).map(([name, text]) => {
    const view = name === "pictures" ? null : name;
    const changes = { view, open: null };
    return el("a",
      {
        href: link(changes),
        "aria-current": name === shown && "page",
        on: { click: (event) => follow(event, changes) },
      },
      `${text} `,
      counts[name] && el("span.number", count(counts[name])),
    );
  });
  if (summary.has.report) tabs.push(el("a", { href: "report/", target: "_blank" }, "Report"));
  const focused = find("#tabs").contains(document.activeElement);
  fill(find("#tabs"), tabs);
  const current = find("#tabs [aria-current]");
  if (focused) current?.focus();
  current?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function follow(event, changes) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(changes);
}

/** The workspace has changed: everything shown is read anew. */
async function renew() {
  summary = await ask("summary");
  toast(`The collection has changed: ${many(summary.pictures)}`);
  for (const view of views.values()) {
    view.summary = summary;
    view.stale?.();
  }
  show(params());
}

function schemeButton() {
  const { dataset } = document.documentElement;
  const node = button({ text: "◐", id: "scheme" });
  const name = () => node.setAttribute("aria-label", `Colours: ${dataset.scheme || "as the system"}`);
  node.addEventListener("click", () => {
    dataset.scheme = SCHEMES[(SCHEMES.indexOf(dataset.scheme ?? "") + 1) % SCHEMES.length];
    try {
      localStorage.setItem("scheme", dataset.scheme);
    } catch {
      // it lasts as long as the page
    }
    name();
    node.title = node.ariaLabel;
    dispatchEvent(new Event("scheme"));
  });
  name();
  return node;
}

find("#token-dialog").addEventListener("cancel", (event) => event.preventDefault());
start();
