// A list that comes in pages by cursor: more as its end is neared, and a button for keys.

import { ask } from "../api.js";
import { announce, busy, button, el, fill, notice, title } from "../dom.js";

export class Paged {
  /** `drawn(answer)` returns nodes for a page, `headed(answer)` what stands above the first; `frame` holds `list`. */
  constructor(panel, { path, list, frame = list, drawn, headed, empty }) {
    Object.assign(this, { panel, path, list, drawn, headed, empty });
    panel.classList.add("wide");
    this.head = el("div.heading");
    this.more = button({ text: "Show more", class: "more", on: () => this.#next() });
    this.more.hidden = true;
    panel.append(this.head, frame, this.more);
    new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.#next();
    }, { rootMargin: "400px" }).observe(this.more);
  }

  stale() {
    this.query = undefined;
  }

  async start(query) {
    if (this.query === query) return;
    this.asked?.abort();
    this.query = query;
    busy(this.panel, true);
    fill(this.head, title("Loading…"));
    fill(this.list);
    await this.#page(null);
  }

  #next() {
    if (this.cursor && !this.more.hidden && !this.more.disabled) this.#page(this.cursor);
  }

  async #page(cursor) {
    this.asked = new AbortController();
    const { signal } = this.asked;
    const query = new URLSearchParams(this.query);
    if (cursor) query.set("cursor", cursor);
    this.more.disabled = true;
    try {
      this.#show(await ask(this.path, query, { signal }), cursor);
    } catch (error) {
      if (error.name !== "AbortError") this.#failed(error);
    }
  }

  #show(answer, cursor) {
    const nodes = this.drawn(answer);
    if (!cursor) fill(this.head, this.headed(answer));
    if (!cursor) announce(this.head.textContent);
    if (!cursor && !nodes.length) fill(this.list, this.empty());
    else this.list.append(...nodes);
    this.cursor = answer.next;
    this.more.hidden = !answer.next;
    this.more.disabled = false;
    busy(this.panel, false);
  }

  #failed(error) {
    this.cursor = null;
    this.more.hidden = true;
    busy(this.panel, false);
    fill(this.head);
    this.list.append(notice("That did not work", error.message));
    announce(error.message);
  }
}
