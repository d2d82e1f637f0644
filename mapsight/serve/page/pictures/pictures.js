// The view of pictures: all, those under filters, or the answers to a question.

import { askFile } from "../api.js";
import { begin, filtersOf, findLike, go, isSearch, listOf, noFilters } from "../address.js";
import { announce, busy, button, debounce, el, fill, notice, toast } from "../dom.js";
import { startFacts } from "./facts_card.js";
import { chips } from "../filters/filters.js";
import { count, many } from "../format.js";
import { Grid } from "./grid.js";
import { offeredLabels } from "./labels.js";
import { answersTo } from "./question.js";
import { Listing } from "./rows.js";
import { Toolbar } from "./toolbar.js";
import { selection, WHOLE } from "../selection/selection.js";
import { openPicture } from "./viewer.js";

const RANGE = 10_000; // pictures

export class Pictures {
  constructor(panel, summary) {
    Object.assign(this, { panel, summary, shown: null, asked: null });
    this.tools = new Toolbar(summary, (size) => this.grid.resize(size));
    this.heading = el("div.heading");
    this.message = el("div.message");
    this.box = el("div.grid", { role: "grid", "aria-label": "Pictures", "aria-multiselectable": "true", tabindex: -1 });
    panel.append(this.heading, this.tools.node, this.message, this.box);
    this.grid = new Grid(this.box, this.#acts());
    this.grid.size = this.tools.size;
    startFacts(this.box, (cell) => this.grid.source?.get(Number(cell.dataset.index)));
    selection.addEventListener("change", () => this.#remark());
    this.remember = debounce((address) => this.#remember(address), 150);
  }

  #acts() {
    return {
      like: (item) => findLike(item.image_id),
      open: (index) => openPicture(this.grid.source, index),
      mark: (index, extend, from) => this.#mark(index, extend, from),
      selected: (id) => selection.has(id),
      shown: () => this.remember(location.search),
    };
  }

  /** Show the pictures that an address names; only what is asked for makes it ask again. */
  async show(query) {
    const question = new URLSearchParams(query);
    for (const name of ["open", "view", "error"]) question.delete(name);
    const wanted = question.toString();
    if (wanted === this.shown) return;
    this.shown = wanted;
    const first = history.state?.first ?? 0;
    this.#waiting(query);
    if (isSearch(query)) await this.#search(query, first);
    else this.#list(query, first);
  }

  stale() {
    this.shown = null;
  }

  #waiting(query) {
    this.asked?.abort();
    this.query = query;
    busy(this.panel, true);
    fill(this.message);
    this.box.hidden = false;
    this.tools.node.hidden = false;
    this.tools.show(query, chips(query, this.summary.measures));
    this.tools.say("Loading…");
  }

  #list(query, first) {
    fill(this.heading);
    let jumped = false;
    const changed = () => {
      if (this.grid.source !== source) return;
      this.grid.refresh();
      if (!jumped) this.#arrived(source.total, query, first);
      jumped = true;
    };
    const source = new Listing(listOf(query), changed, (error) => this.#failed(error));
    this.grid.show(source);
  }

  async #search(query, first) {
    this.asked = new AbortController();
    const { signal } = this.asked;
    this.grid.show({ total: null, get() {} });
    try {
      const { source, heading } = await answersTo(query, this.summary, signal);
      fill(this.heading, heading);
      this.grid.show(source);
      this.#arrived(source.total, query, first);
    } catch (error) {
      if (error.name !== "AbortError") this.#failed(error);
    }
  }

  #arrived(total, query, first) {
    busy(this.panel, false);
    const text = isSearch(query) ? `${count(total)} most alike` : many(total);
    this.tools.say(text, this.#allButton(query, total));
    announce(text);
    if (first && first < total) this.grid.reveal(total - 1), this.grid.reveal(first);
    if (!total) this.#nothing(query);
    if (this.again && document.activeElement === document.body) this.grid.focus(first); // its tile is gone
    this.again = true;
  }

  #allButton(query, total) {
    if (!total) return null;
    return button({ text: "Select all", class: "quiet", on: () => this.#selectAll(query, total) });
  }

  async #selectAll(query, total) {
    const asked = (isSearch(query) ? query : listOf(query)).toString();
    try {
      selection.takeAll(asked, total, total <= WHOLE ? await this.#ids(asked) : null);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #ids(asked) {
    const { items } = this.grid.source;
    if (items) return items.map((item) => item.image_id);
    const query = new URLSearchParams(asked);
    query.append("format", "ids"); // beside those that pictures may have
    return (await (await askFile("export", query)).text()).split("\n").filter(Boolean);
  }

  #nothing(query) {
    this.box.hidden = true;
    const filtered = filtersOf(query).size > 0;
    this.tools.node.hidden = !filtered;
    const clear = button({ text: "Clear filters", class: "primary", on: () => go(noFilters()) });
    fill(
      this.message,
      filtered
        ? notice("No pictures match", "No picture passes all filters together.", clear)
        : notice("No pictures yet", "This workspace has none that could be used. The view Rejected says why."),
    );
  }

  async #failed(error) {
    busy(this.panel, false);
    this.box.hidden = true;
    this.tools.say("");
    fill(this.heading);
    const back = button({ text: "Show all pictures", class: "primary", on: () => begin({}) });
    const again = button({ text: "Try again", on: () => { this.shown = null; this.show(this.query); } });
    const help = el("div");
    fill(this.message, notice("That did not work", error.message, help, back, again));
    announce(error.message);
    if (error.field === "q" && error.status === 404) fill(help, await offeredLabels());
  }

  async #mark(index, extend, from = this.anchor ?? index) {
    const item = this.grid.source.get(index);
    if (!item) return;
    if (!extend) {
      this.anchor = index;
      selection.toggle(item);
      return;
    }
    this.anchor ??= from;
    const [first, last] = [Math.min(this.anchor, index), Math.max(this.anchor, index)];
    if (last - first >= RANGE) toast(`A range has ${count(RANGE)} pictures at most`);
    else selection.add(await this.grid.source.range(first, last));
  }

  #remark() {
    if (!selection.size) this.anchor = undefined;
    this.grid.remark();
  }

  /** Keep in the history where one had scrolled to. */
  #remember(address) {
    if (address !== location.search || this.panel.hidden || this.grid.source?.total === null) return;
    history.replaceState({ ...history.state, first: this.grid.firstSeen() }, "");
  }
}
