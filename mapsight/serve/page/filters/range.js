// A filter by a measure: a histogram of what is there, and two ends to drag or to type.

import { el, fill, restyle } from "../dom.js";
import { many, short } from "../format.js";

export class Range {
  /** `chosen` is called with the least and the most, null where that end is open. */
  constructor(title, unit, chosen) {
    Object.assign(this, { title, chosen, edges: [], ends: [null, null] });
    this.bars = el("div", { class: "bars", "aria-hidden": "true" });
    this.low = this.#slider("from", 0);
    this.high = this.#slider("to", 1);
    this.from = this.#field("from", 0);
    this.to = this.#field("to", 1);
    this.node = el(
      "details",
      { class: "facet range", open: true },
      el("summary", { title: unit }, title),
      el("div", { class: "ends" }, this.bars, this.low, this.high),
      el("div", { class: "fields" }, this.from, el("span", { "aria-hidden": "true" }, "–"), this.to),
    );
  }

  /** Show counts between edges, and the ends as they are in the address. */
  show({ edges, counts }, low, high) {
    this.node.hidden = edges.length < 2 || edges[0] === edges.at(-1);
    if (this.node.hidden) return;
    Object.assign(this, { edges, ends: [low, high] });
    for (const slider of [this.low, this.high]) slider.max = edges.length - 1;
    this.low.value = low === null ? 0 : this.#nearest(low);
    this.high.value = high === null ? edges.length - 1 : this.#nearest(high);
    if (document.activeElement !== this.from) this.from.value = low ?? "";
    if (document.activeElement !== this.to) this.to.value = high ?? "";
    Object.assign(this.from, { placeholder: short(edges[0]) });
    Object.assign(this.to, { placeholder: short(edges.at(-1)) });
    this.#draw(counts);
  }

  #draw(counts) {
    // Edges are quantiles: bars show how close together pictures lie, as roots, so that all are seen.
    const dense = counts.map((pictures, place) => Math.sqrt(pictures / this.#width(place)));
    const most = Math.max(...dense) || 1;
    const bars = counts.map((pictures, place) => {
      const title = `${short(this.edges[place])} to ${short(this.edges[place + 1])}: ${many(pictures)}`;
      const bar = el("i", { title });
      restyle(bar, { height: `${pictures ? Math.max(4, (100 * dense[place]) / most) : 0}%` });
      return bar;
    });
    fill(this.bars, bars);
    this.#shade();
  }

  #width(place) {
    return this.edges[place + 1] - this.edges[place] || 1;
  }

  /** Shade what the ends leave out, and name their values for those who hear them. */
  #shade() {
    const [low, high] = [Number(this.low.value), Number(this.high.value)];
    [...this.bars.children].forEach((bar, place) => {
      bar.classList.toggle("out", place < low || place >= high);
    });
    this.low.setAttribute("aria-valuetext", short(this.edges[low]));
    this.high.setAttribute("aria-valuetext", short(this.edges[high]));
  }

  #nearest(value) {
    const away = this.edges.map((edge) => Math.abs(edge - value));
    return away.indexOf(Math.min(...away));
  }

  #slider(side, end) {
    const slider = el("input", { type: "range", min: 0, max: 16, step: 1, class: side });
    slider.setAttribute("aria-label", `${this.title}, ${side}`);
    slider.addEventListener("input", () => this.#slide(end));
    slider.addEventListener("change", () => this.chosen(...this.ends));
    return slider;
  }

  #slide(end) {
    const last = this.edges.length - 1;
    if (Number(this.low.value) >= Number(this.high.value)) {
      if (end) this.high.value = Math.max(1, Number(this.low.value) + 1);
      else this.low.value = Math.min(last - 1, Number(this.high.value) - 1);
    }
    const place = Number(end ? this.high.value : this.low.value);
    this.ends[end] = place === (end ? last : 0) ? null : this.edges[place];
    [this.from, this.to][end].value = this.ends[end] ?? "";
    this.#shade();
  }

  #field(side, end) {
    const field = el("input", { type: "number", step: "any", inputmode: "decimal" });
    field.setAttribute("aria-label", `${this.title}, ${side}`);
    field.addEventListener("change", () => {
      this.ends[end] = field.value === "" ? null : Number(field.value);
      this.chosen(...this.ends);
    });
    return field;
  }
}
