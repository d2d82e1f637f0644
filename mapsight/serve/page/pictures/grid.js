// A grid of any number of pictures, of which only what is seen is in the page.

import { el, listen } from "../dom.js";
import { arrows } from "./grid_keys.js";
import { TallScroll } from "./scroll.js";
import { fillTile, markTile } from "./tile.js";

const GAP = 8;
const CAPTION = 42; // pixels under a picture, unless it is too small for words
const WORDS = 110;
const SPARE = 1; // rows above and below what is seen

export class Grid {
  /** `acts` has like(item), open(index), mark(index, extend), selected(id), shown(first, last). */
  constructor(box, acts) {
    Object.assign(this, { box, acts, source: null, active: 0, size: 180, rows: new Map() });
    this.sizer = el("div.sizer");
    box.append(this.sizer);
    this.scroll = new TallScroll(box, this.sizer, () => this.draw());
    new ResizeObserver(() => this.#measure()).observe(box);
    listen(box, {
      keydown: (event) => this.#key(event),
      click: (event) => this.#click(event),
      focusin: (event) => this.#focused(event),
    });
  }

  show(source) {
    this.source?.close?.();
    this.source = source;
    this.#clear();
    this.active = 0;
    this.#measure(0);
  }

  resize(size) {
    this.size = size;
    this.#measure();
  }

  firstSeen() {
    return Math.ceil(this.scroll.top / this.rowHeight - 0.5) * this.columns || 0;
  }

  refresh() {
    this.#measure();
  }

  remark() {
    for (const cell of this.#cells()) {
      if (cell.dataset.id) markTile(cell, this.acts.selected(cell.dataset.id));
    }
  }

  focus(index) {
    this.active = Math.max(0, Math.min(index, (this.source.total ?? 1) - 1));
    this.reveal(this.active);
    this.#cell(this.active)?.focus({ preventScroll: true });
  }

  reveal(index) {
    const top = Math.floor(index / this.columns) * this.rowHeight;
    const bottom = top + this.rowHeight;
    if (top < this.scroll.top) this.scroll.to(top);
    else if (bottom > this.scroll.top + this.scroll.view) this.scroll.to(bottom - this.scroll.view);
    this.draw();
  }

  /** Lay out anew; where columns change, what is seen first stays so, unless `top` is given. */
  #measure(top) {
    const width = this.box.clientWidth - 2 * GAP;
    if (width <= 0) return;
    const columns = Math.max(1, Math.round((width + GAP) / (this.size + GAP)));
    const side = Math.floor((width - GAP * (columns - 1)) / columns);
    const changed = columns !== this.columns || side !== this.side;
    const first = changed && this.columns ? this.firstSeen() : 0;
    if (changed) this.#clear();
    const words = side >= WORDS;
    Object.assign(this, { columns, side, rowHeight: side + GAP + (words ? CAPTION : 0) });
    this.box.classList.toggle("wordless", !words);
    this.box.style.setProperty("--side", `${side}px`);
    const total = this.#total();
    this.box.setAttribute("aria-rowcount", Math.ceil(total / columns));
    this.box.setAttribute("aria-colcount", columns);
    const place = changed ? Math.floor(first / columns) * this.rowHeight : this.scroll.top;
    this.scroll.resize(Math.ceil(total / columns) * this.rowHeight + GAP, top ?? place);
    this.draw();
  }

  /** Return how many there are; before it is known, as many as fill the window. */
  #total() {
    if (!this.source) return 0;
    return this.source.total ?? this.columns * Math.ceil(this.scroll.view / this.rowHeight);
  }

  draw() {
    if (!this.rowHeight || !this.source) return;
    const total = this.#total();
    const last = Math.max(0, Math.ceil(total / this.columns) - 1);
    const from = Math.max(0, Math.floor(this.scroll.top / this.rowHeight) - SPARE);
    const seen = Math.floor((this.scroll.top + this.scroll.view) / this.rowHeight);
    const to = Math.min(last, seen + SPARE);
    this.source.need?.(from * this.columns, Math.min(total, (to + 1) * this.columns) - 1);
    this.#keep(from, to, total);
    this.acts.shown(Math.min(total, from * this.columns), total);
  }

  /** Have these rows in the page, and the one with the focus, wherever it stands. */
  #keep(from, to, total) {
    const focused = this.box.contains(document.activeElement);
    const held = focused ? Math.floor(this.active / this.columns) : -1;
    for (const number of this.rows.keys()) {
      if ((number >= from && number <= to) || number === held) continue;
      this.#drop(number);
    }
    if (!total) return;
    for (let number = from; number <= to; number++) this.#row(number, total);
    for (const [number, row] of this.rows) {
      const place = this.scroll.placed(number * this.rowHeight + GAP);
      row.style.transform = `translateY(${place}px)`;
    }
    this.#rove(from * this.columns, (to + 1) * this.columns - 1);
  }

  #row(number, total) {
    let row = this.rows.get(number);
    if (!row) {
      row = el("div.row", { role: "row", "aria-rowindex": number + 1 });
      this.rows.set(number, row);
      this.#place(row, number);
    }
    for (let column = 0; column < this.columns; column++) {
      const index = number * this.columns + column;
      if (index < total) this.#fill(row, index, column);
    }
    const left = Math.min(this.columns, total - number * this.columns);
    while (row.children.length > left) row.lastChild.remove(); // they waited for more than there is
  }

  /** Put a row where it belongs among the others, as they are read in that order. */
  #place(row, number) {
    const after = [...this.rows.keys()].filter((other) => other > number);
    this.sizer.insertBefore(row, after.length ? this.rows.get(Math.min(...after)) : null);
  }

  #fill(row, index, column) {
    let cell = row.children[column];
    if (!cell) {
      const place = { tabindex: -1, "aria-colindex": column + 1, "data-index": index };
      cell = el("div.tile.waiting", { role: "gridcell", ...place });
      row.append(cell);
    }
    const item = this.source.get(index);
    if (item && !cell.dataset.id) {
      fillTile(cell, item, this.side, this.acts.selected(item.image_id));
    }
  }

  /** One picture can be reached by Tab, the others by arrows; it is one that is in the page. */
  #rove(first, last) {
    const stop = this.#cell(this.active) ? this.active : Math.max(first, Math.min(last, this.active));
    for (const cell of this.#cells()) {
      cell.tabIndex = Number(cell.dataset.index) === stop ? 0 : -1;
    }
  }

  #cells() {
    return this.sizer.querySelectorAll(".tile");
  }

  #cell(index) {
    const row = this.rows.get(Math.floor(index / this.columns));
    return row?.children[index % this.columns];
  }

  #clear() {
    for (const number of this.rows.keys()) this.#drop(number);
  }

  /** Take a row away, and stop its pictures coming: others are waited for. */
  #drop(number) {
    const row = this.rows.get(number);
    for (const image of row.querySelectorAll("img:not(.there)")) image.removeAttribute("src");
    row.remove();
    this.rows.delete(number);
  }

  #focused(event) {
    const cell = event.target.closest(".tile");
    if (!cell) return;
    this.active = Number(cell.dataset.index);
    this.#rove(0, 0);
  }

  #click(event) {
    const cell = event.target.closest(".tile");
    if (!cell?.dataset.id) return;
    const index = Number(cell.dataset.index);
    this.active = index;
    const marking = event.target.closest(".mark") || event.shiftKey || event.ctrlKey || event.metaKey;
    if (marking) this.acts.mark(index, event.shiftKey);
    else if (event.target.closest(".expand")) this.acts.open(index);
    else this.acts.like(this.source.get(index));
  }

  #key(event) {
    const page = Math.max(1, Math.floor(this.scroll.view / this.rowHeight)) * this.columns;
    const total = this.source?.total ?? 0;
    const next = arrows(event, this.active, { columns: this.columns, page, total });
    if (next !== null) {
      event.preventDefault();
      const before = this.active;
      this.focus(next);
      if (event.shiftKey) this.acts.mark(next, true, before);
    } else this.#act(event);
  }

  #act(event) {
    const item = this.source?.get(this.active);
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      Enter: () => this.acts.like(item),
      " ": () => this.acts.mark(this.active, event.shiftKey),
      v: () => this.acts.open(this.active),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }
}
