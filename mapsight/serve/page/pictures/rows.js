// Where the grid's pictures come from: a list read in blocks, or the answers to a question.

import { ask } from "../api.js";

const BLOCK = 100;
const KEPT = 40; // blocks; 4,000 pictures' facts

/** Pictures under filters, in order; any place of millions is one request away. */
export class Listing {
  /** `query` holds filters and sort; `changed` is called when something has come. */
  constructor(query, changed, failed) {
    Object.assign(this, { query, changed, failed, total: null });
    this.blocks = new Map();
    this.pending = new Map();
    this.#load(0);
  }

  get(index) {
    const block = this.blocks.get(Math.floor(index / BLOCK));
    return block?.items[index % BLOCK];
  }

  /** Have the pictures from `first` to `last` come; what is on its way for elsewhere is stopped. */
  need(first, last) {
    if (this.total === null) return;
    const [from, to] = [Math.floor(first / BLOCK), Math.floor(last / BLOCK)];
    for (const [number, stop] of this.pending) {
      if (number < from - 1 || number > to + 1) stop.abort();
    }
    for (let number = from; number <= to; number++) this.#load(number);
    this.#forget((from + to) / 2);
  }

  /** Return the pictures from `first` to `last`, whether they have come or not. */
  async range(first, last) {
    const items = [];
    for (let number = Math.floor(first / BLOCK); number * BLOCK <= last; number++) {
      const block = this.blocks.get(number) ?? (await this.#ask(number));
      items.push(...block.items);
    }
    const skipped = first % BLOCK;
    return items.slice(skipped, skipped + last - first + 1);
  }

  close() {
    for (const stop of this.pending.values()) stop.abort();
  }

  async #load(number) {
    if (this.blocks.has(number) || this.pending.has(number)) return;
    const stop = new AbortController();
    this.pending.set(number, stop);
    try {
      const block = await this.#ask(number, stop.signal);
      this.blocks.set(number, block);
      this.total = block.total;
      this.changed();
    } catch (error) {
      if (error.name !== "AbortError") this.failed(error);
    } finally {
      if (this.pending.get(number) === stop) this.pending.delete(number);
    }
  }

  #ask(number, signal) {
    const query = new URLSearchParams(this.query);
    query.set("limit", BLOCK);
    const cursor = this.blocks.get(number - 1)?.next;
    if (cursor) query.set("cursor", cursor);
    else if (number) query.set("at", (number * BLOCK + 0.5) / this.total);
    return ask("pictures", query, { signal });
  }

  #forget(middle) {
    if (this.blocks.size <= KEPT) return;
    const far = [...this.blocks.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
    for (const number of far.slice(0, this.blocks.size - KEPT)) this.blocks.delete(number);
  }
}

export class Answers {
  constructor(items) {
    Object.assign(this, { items, total: items.length });
  }

  get(index) {
    return this.items[index];
  }

  async range(first, last) {
    return this.items.slice(first, last + 1);
  }
}
