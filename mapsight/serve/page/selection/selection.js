// What is selected: pictures one by one, or all that match, however many. Nothing else changes.
// The tab remembers it while the page is loaded anew.

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

  toggle({ image_id: id }) {
    if (this.all) return;
    if (!this.ids.delete(id)) this.ids.add(id);
    this.#change({ whole: null });
  }

  add(items) {
    if (this.all) return;
    for (const { image_id: id } of items) this.ids.add(id);
    this.#change({ whole: null });
  }

  /** Select all that match: `ids` where they are few, else by the query alone. */
  takeAll(query, total, ids) {
    const [all, whole] = ids ? [null, query] : [{ query, total }, null];
    this.#change({ ids: new Set(ids), all, whole });
  }

  clear() {
    this.#change({ ids: new Set(), all: null, whole: null });
  }

  /** Take up what was selected of a collection before the page was loaded anew. */
  restore(name) {
    this.key = `selection of ${name}`;
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.key));
      if (kept) this.#change({ ...kept, ids: new Set(kept.ids) });
    } catch {
      // this browser keeps nothing
    }
  }

  #change(changes) {
    const { ids, all, whole } = Object.assign(this, changes);
    try {
      sessionStorage.setItem(this.key, JSON.stringify({ ids: [...ids], all, whole }));
    } catch {
      // it lasts as long as the page
    }
    this.dispatchEvent(new Event("change"));
  }
}

export const selection = new Selection();
