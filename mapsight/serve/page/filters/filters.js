// The panel of filters: what each would leave, counted under all the others.

import { FLAGS, LISTS, RANGES, filtersOf, go, params } from "../address.js";
import { ask } from "../api.js";
import { Checklist } from "./checklist.js";
import { button, debounce, el, find } from "../dom.js";
import { count, flag, licence } from "../format.js";
import { Range } from "./range.js";

const TITLES = {
  label: "Label",
  style: "Style",
  flag: "Flag",
  license: "Licence",
  subset: "Subset",
  format: "Format",
  truth: "People said",
};
const ASIDE = new Set(["license", "subset", "format", "truth"]); // closed at first
const NAMED = { license: licence, flag };
const WORDS = {
  no_flags: "No flag",
  unsure: "Not sure",
  disputed: "People said otherwise",
  hide: "Leave duplicates out",
  only: "Duplicates alone",
};

export class Filters {
  /** `measures` are those of the summary: name, title, unit. */
  constructor(panel, measures) {
    this.asked = null;
    this.lists = LISTS.filter((name) => TITLES[name]).map((name) => [name, this.#list(name)]);
    this.flags = new Checklist("Worth a look", (names) => go(flagsOf(names)));
    const named = measures.filter(({ name }) => RANGES.includes(name));
    this.ranges = named.map((measure) => [measure.name, this.#range(measure)]);
    const [first, ...others] = this.lists.map(([, list]) => list.node);
    const sliders = this.ranges.map(([, range]) => range.node);
    panel.addEventListener("keydown", (event) => event.key === "Escape" && closeDrawer());
    find("#main").addEventListener("pointerdown", closeDrawer);
    panel.append(head(), first, this.flags.node, ...sliders, ...others);
    this.refresh = debounce((query) => this.#ask(query), 80);
  }

  show(query) {
    this.refresh(filtersOf(query));
  }

  async #ask(query) {
    this.asked?.abort();
    this.asked = new AbortController();
    const { signal } = this.asked;
    try {
      this.#draw(query, await ask("facets", query, { signal }));
    } catch (error) {
      if (error.name !== "AbortError") this.#draw(query, {}); // the grid says what is wrong
    }
  }

  #draw(query, facets) {
    for (const [name, list] of this.lists) list.show(facets[name] ?? [], query.getAll(name));
    const duplicates = query.get("duplicates");
    const on = FLAGS.filter((name) => query.has(name));
    this.flags.show(offers(facets), duplicates ? [...on, duplicates] : on);
    for (const [name, range] of this.ranges) {
      const ends = [`min_${name}`, `max_${name}`].map((end) => numberOf(query.get(end)));
      range.show(facets[name] ?? { edges: [], counts: [] }, ends);
    }
  }

  #list(name) {
    const list = new Checklist(TITLES[name], (values) => go({ [name]: values }), NAMED[name]);
    list.node.open = !ASIDE.has(name);
    return list;
  }

  #range(measure) {
    const { name } = measure;
    const range = new Range(measure, (low, high) => {
      go({ [`min_${name}`]: low, [`max_${name}`]: high });
    });
    range.node.hidden = true;
    return range;
  }
}

function offers(facets) {
  const { hide, only } = facets.duplicates ?? {};
  const { no_flags, unsure, disputed } = facets;
  const counts = { no_flags, unsure, disputed, hide, only };
  return Object.entries(counts)
    .filter(([name, pictures]) => pictures && !(name === "hide" && !only))
    .map(([value, pictures]) => ({ value, count: pictures, title: WORDS[value] }));
}

/** Turn checked names into filters; of the two about duplicates the one checked last stays. */
function flagsOf(names) {
  const before = params().get("duplicates");
  const duplicates = names.filter((name) => name === "hide" || name === "only");
  return {
    ...Object.fromEntries(FLAGS.map((name) => [name, names.includes(name) ? 1 : null])),
    duplicates: duplicates.find((name) => name !== before) ?? duplicates[0] ?? null,
  };
}

function numberOf(text) {
  return text === null ? null : Number(text);
}

function head() {
  return el("div.panel-head",
    el("h2", "Filters"),
    button({ name: "Close filters", symbol: "close", class: "plain close", on: closeDrawer }),
  );
}

/** On a narrow window the panel is a drawer. */
export function openDrawer() {
  turnDrawer(true, "#filters .close");
}

export function closeDrawer() {
  if (document.body.classList.contains("drawer")) turnDrawer(false, "#filters-button");
}

function turnDrawer(open, focused) {
  document.body.classList.toggle("drawer", open);
  find("#filters-button").setAttribute("aria-expanded", open);
  find(focused).focus();
}

/** Return the filters of a query as chips, each of which takes itself away. */
export function chips(query, measures) {
  const named = [...filtersOf(query)].filter(([name]) => name !== "cell");
  const made = named.map(([name, value]) => chip(worded(name, value, measures), () => without(name, value)));
  const cells = query.getAll("cell");
  if (!cells.length) return made;
  const text = cells.length === 1 ? `cell ${cells[0]}` : `${count(cells.length)} cells`;
  return [...made, chip(text, () => go({ cell: null }))];
}

function chip(text, on) {
  return button({ text, symbol: "close", class: "chip", "aria-label": `Without ${text}`, on });
}

function without(name, value) {
  const values = params().getAll(name);
  go({ [name]: values.filter((other) => other !== value) });
}

function worded(name, value, measures) {
  if (name === "region") return "region on the map";
  if (FLAGS.includes(name)) return WORDS[name].toLowerCase();
  if (name === "duplicates") return WORDS[value]?.toLowerCase() ?? value;
  const [, end, measure] = /^(min|max)_(.+)$/.exec(name) ?? [];
  if (name === "split") return `${value} pictures`;
  if (!end) return name === "truth" ? `people said ${value}` : (NAMED[name]?.(value) ?? value);
  const title = measures.find((known) => known.name === measure)?.title ?? measure;
  return `${title} ${end === "min" ? "≥" : "≤"} ${Number(value).toLocaleString("en")}`;
}
