// Above the grid: how many, under which filters, in which order, how large.

import { go, isSearch, noFilters } from "../address.js";
import { button, el, fill, title } from "../dom.js";
import { openDrawer } from "../filters/filters.js";

const RANKS = { "": "most alike first", ppi: "by PPI", diverse: "diverse" };
const SIZE = 180; // pixels
const NARROW = 110;

export class Toolbar {
  /** `resized` is called with the size that pictures shall have, in pixels. */
  constructor(summary, resized) {
    this.sorts = sortsOf(summary);
    this.status = title();
    this.beside = el("span");
    this.chips = el("div.chips");
    this.order = el("select", { "aria-label": "Order", on: { change: () => this.#ordered() } });
    this.turn = button({ name: "Turn the order round", symbol: "up", on: () => this.#turned() });
    this.slider = sizeSlider(resized);
    const filters = button({ text: "Filters", symbol: "filter", id: "filters-button", "aria-expanded": "false", on: openDrawer });
    this.node = el("div.toolbar",
      filters,
      this.status,
      this.beside,
      this.chips,
      el("span.order", this.order, this.turn),
      el("label.size", el("span.unseen", "Size of pictures"), this.slider),
    );
  }

  get size() {
    return Number(this.slider.value);
  }

  say(text, ...beside) {
    this.status.textContent = text;
    fill(this.beside, ...beside);
  }

  show(query, chips) {
    this.query = query;
    const clear = button({ text: "Clear", class: "quiet", on: () => go(noFilters()) });
    fill(this.chips, chips, chips.length > 1 && clear);
    const searched = isSearch(query);
    const value = searched ? (query.get("rank_by") ?? "") : fieldOf(query);
    const options = Object.entries(searched ? RANKS : this.sorts);
    fill(this.order, options.map(([name, text]) => el("option", { value: name, selected: name === value }, text)));
    this.order.value = value;
    this.turn.hidden = searched;
    this.turn.classList.toggle("turned", (query.get("sort") ?? "").startsWith("-"));
  }

  #ordered() {
    const { value } = this.order;
    if (isSearch(this.query)) go({ rank_by: value || null });
    else go({ sort: value === "image_id" ? null : `-${value}` });
  }

  #turned() {
    const sort = this.query.get("sort") ?? "image_id";
    const turned = sort.startsWith("-") ? sort.slice(1) : `-${sort}`;
    go({ sort: turned === "image_id" ? null : turned });
  }
}

function fieldOf(query) {
  return (query.get("sort") ?? "image_id").replace(/^-/, "");
}

function sortsOf({ sorts, measures }) {
  const titles = new Map(measures.map(({ name, title }) => [name, title === "PPI" ? title : title.toLowerCase()]));
  const names = [...new Set(sorts.map((sort) => sort.replace(/^-/, "")))];
  return Object.fromEntries(names.map((name) => [name, name === "image_id" ? "by id" : `by ${titles.get(name) ?? name.replaceAll("_", " ")}`]));
}

function sizeSlider(resized) {
  const value = innerWidth < 600 ? NARROW : SIZE;
  const on = { input: ({ target }) => resized(Number(target.value)) };
  return el("input", { type: "range", min: 64, max: 420, step: 4, value, on });
}
