// A filter by names: each with how many pictures it would leave.

import { button, el, fill } from "../dom.js";
import { count } from "../format.js";

const FIRST = 8; // names before "Show all"

export class Checklist {
  /** `chosen` is called with the names that are checked; `named` says how one is shown. */
  constructor(title, chosen, named = (value) => value) {
    Object.assign(this, { chosen, named, checked: [], offers: [], all: false, places: new Map() });
    this.list = el("div.checks");
    this.more = button({ text: "Show all", class: "quiet", on: () => this.#toggle() });
    this.node = el("details.facet",
      { open: true },
      el("summary", title),
      el("div", { role: "group", "aria-label": title }, this.list),
      this.more,
    );
    this.node.hidden = true; // until there is something to choose
  }

  /** Show names with counts; those checked stay even where nothing has them, all where they were first. */
  show(offers, checked) {
    const missing = checked.filter((value) => !offers.some((offer) => offer.value === value));
    this.offers = [...offers, ...missing.map((value) => ({ value, count: 0 }))];
    const { places } = this;
    for (const { value } of this.offers) if (!places.has(value)) places.set(value, places.size);
    this.offers.sort((a, b) => places.get(a.value) - places.get(b.value));
    this.checked = checked;
    this.node.hidden = !this.offers.length;
    this.#draw();
  }

  #toggle() {
    this.all = !this.all;
    this.#draw();
  }

  #draw() {
    const focused = this.list.contains(document.activeElement) && document.activeElement.value;
    const seen = this.offers.filter(({ value }, place) => this.all || place < FIRST || this.checked.includes(value));
    fill(this.list, seen.map((offer) => this.#offer(offer)));
    this.more.hidden = this.offers.length <= FIRST;
    this.more.textContent = this.all ? "Show fewer" : `Show all ${count(this.offers.length)}`;
    if (focused !== false) this.#inputs().find((input) => input.value === focused)?.focus();
  }

  #offer({ value, count: pictures, title }) {
    const on = { change: () => this.#change() };
    const box = el("input", { type: "checkbox", value, checked: this.checked.includes(value), on });
    return el("label",
      { class: pictures ? "check" : "check none" },
      box,
      el("span.name", title ?? this.named(value)),
      el("span.number", count(pictures)),
    );
  }

  #inputs() {
    return [...this.list.querySelectorAll("input")];
  }

  #change() {
    this.chosen(this.#inputs().filter((input) => input.checked).map((input) => input.value));
  }
}
