// A filter by a measure: a histogram of what is there, and two ends to drag or to type.

import { el, fill } from "../dom.js";
import { many, short } from "../format.js";

const ENDS = ["from", "to"];

export class Range {
  /** `chosen` is called with the least and the most, null where that end is open. */
  constructor({ title, unit, digits }, chosen) {
    Object.assign(this, { title, digits, chosen, edges: [], ends: [null, null] });
    this.bars = el("div.bars", { "aria-hidden": "true" });
    this.sliders = ENDS.map((side, end) => this.#slider(side, end));
    this.fields = ENDS.map((side, end) => this.#field(side, end));
    const [from, to] = this.fields;
    this.node = el("details.facet.range",
      { open: true },
      el("summary", { title: unit }, title),
      el("div.ends", this.bars, this.sliders),
      el("div.fields", from, el("span", { "aria-hidden": "true" }, "–"), to),
    );
  }

  /** Show counts between edges, and the ends as they are in the address. */
  show({ edges, counts }, ends) {
    this.node.hidden = edges.length < 2 || edges[0] === edges.at(-1);
    if (this.node.hidden) return;
    Object.assign(this, { edges, ends });
    ends.forEach((value, end) => {
      const [slider, field, edge] = [this.sliders[end], this.fields[end], edges.at(-end)];
      slider.max = edges.length - 1;
      slider.value = this.#nearest(value ?? edge);
      if (document.activeElement !== field) field.value = value ?? "";
      field.placeholder = short(edge);
    });
    this.#draw(counts);
  }

  #draw(counts) {
    // Edges are quantiles: bars show how close together pictures lie, as roots, so that all are seen.
    const dense = counts.map((pictures, place) => Math.sqrt(pictures / this.#width(place)));
    const most = Math.max(...dense) || 1;
    const bars = counts.map((pictures, place) => {
      const title = `${short(this.edges[place])} to ${short(this.edges[place + 1])}: ${many(pictures)}`;
      const height = `${pictures ? Math.max(4, (100 * dense[place]) / most) : 0}%`;
      return el("i", { title, style: { height } });
    });
    fill(this.bars, bars);
    this.#shade();
  }

  #width(place) {
    return this.edges[place + 1] - this.edges[place] || 1;
  }

  /** Shade what the ends leave out, and name their values for those who hear them. */
  #shade() {
    const [low, high] = this.#places();
    [...this.bars.children].forEach((bar, place) => {
      bar.classList.toggle("out", place < low || place >= high);
    });
    [low, high].forEach((place, end) => {
      this.sliders[end].setAttribute("aria-valuetext", short(this.edges[place]));
    });
  }

  #places() {
    return this.sliders.map((slider) => Number(slider.value));
  }

  #nearest(value) {
    const away = this.edges.map((edge) => Math.abs(edge - value));
    return away.indexOf(Math.min(...away));
  }

  #slider(side, end) {
    const on = { input: () => this.#slide(end), change: () => this.chosen(...this.ends) };
    return el(`input.${side}`, { type: "range", "aria-label": `${this.title}, ${side}`, on });
  }

  #slide(end) {
    const last = this.edges.length - 1;
    const [low, high] = this.#places();
    if (low >= high) this.sliders[end].value = end ? Math.max(1, low + 1) : Math.min(last - 1, high - 1);
    const place = this.#places()[end];
    this.ends[end] = place === (end ? last : 0) ? null : this.#rounded(this.edges[place], end);
    this.fields[end].value = this.ends[end] ?? "";
    this.#shade();
  }

  /** Round an edge to the digits that the measure has, outwards, so that nothing between is lost. */
  #rounded(value, end) {
    const digits = 10 ** this.digits;
    return Math[end ? "ceil" : "floor"](value * digits) / digits;
  }

  #field(side, end) {
    const change = ({ target: { value } }) => {
      this.ends[end] = value === "" ? null : Number(value);
      this.chosen(...this.ends);
    };
    const named = { inputmode: "decimal", "aria-label": `${this.title}, ${side}` };
    return el("input", { type: "number", step: "any", ...named, on: { change } });
  }
}
