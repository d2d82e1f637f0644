// What is selected: pictures one by one, or all that match, however many. Nothing else changes.

export const WHOLE = 100_000; // as many are known one by one, and exported by their ids

class Selection extends EventTarget {
  ids = new Set();
  all = null; // {query, total} of more than are known one by one
  whole = null; // the query that gave the ids, as long as they are just those

  get size() {
    return this.all ? this.all.total : this.ids.size;
  }

  has(id) {
    return this.all !== null || this.ids.has(id);
  }

  toggle(item) {
    if (this.all) return;
    if (!this.ids.delete(item.image_id)) this.ids.add(item.image_id);
    this.whole = null;
    this.#changed();
  }

  add(items) {
    if (this.all) return;
    for (const { image_id: id } of items) this.ids.add(id);
    this.whole = null;
    this.#changed();
  }

  /** Select all that match: `ids` where they are few, else by the query alone. */
  takeAll(query, total, ids) {
    this.ids = new Set(ids);
    this.all = ids ? null : { query, total };
    this.whole = ids ? query : null;
    this.#changed();
  }

  clear() {
    this.ids = new Set();
    Object.assign(this, { all: null, whole: null });
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

export const selection = new Selection();
