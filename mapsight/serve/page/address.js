// What is shown stands in the address: it can be sent to somebody, and Back goes back.

export const LISTS = ["label", "style", "license", "subset", "split", "format", "truth", "flag", "cell"];
export const RANGES = ["ppi", "sharpness", "pixels", "score", "entropy", "gradient", "bytes"];
export const FLAGS = ["unsure", "disputed", "no_flags"];
const FILTERS = [
  ...LISTS,
  ...RANGES.flatMap((name) => [`min_${name}`, `max_${name}`]),
  ...FLAGS,
  "duplicates",
  "region",
];
/** What makes a query: its words, the number of a dropped picture, how answers are ranked. */
const QUERY = ["q", "upload", "rank_by", "top_k"];

const listeners = [];

export function params() {
  return new URLSearchParams(location.search);
}

export function onAddress(listener) {
  listeners.push(listener);
}

function tell() {
  for (const listener of listeners) listener(params());
}

let waiting = null; // for Back, which takes its time

/** Go back by one step; what is asked for before that has happened comes after it. */
export function back() {
  waiting = [];
  history.back();
}

addEventListener("popstate", () => {
  const asked = waiting ?? [];
  waiting = null;
  tell();
  for (const [changes, how] of asked) go(changes, how);
});

/** Change what the address says: null takes a name away, an array gives it several values. */
export function go(changes, { replace = false } = {}) {
  if (waiting) {
    waiting.push([changes, { replace }]);
    return;
  }
  const next = changed(params(), changes);
  if (next.toString() === params().toString()) return;
  const words = next.toString();
  const state = Object.keys(changes).join() === "open" ? history.state : null; // the same grid below
  history[replace ? "replaceState" : "pushState"](state, "", words ? `?${words}` : location.pathname);
  tell();
}

export function link(changes) {
  return `?${changed(params(), changes)}`;
}

function changed(query, changes) {
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    const values = Array.isArray(value) ? value : [value];
    for (const one of values) if (one !== null && one !== undefined) query.append(name, one);
  }
  return query;
}

/** Keep the filters of an address alone, as the API takes them. */
export function filtersOf(query) {
  return new URLSearchParams([...query].filter(([name]) => FILTERS.includes(name)));
}

export function listOf(query) {
  const kept = filtersOf(query);
  if (query.has("sort")) kept.set("sort", query.get("sort"));
  return kept;
}

export function noFilters() {
  return none(FILTERS);
}

function none(names) {
  return Object.fromEntries(names.map((name) => [name, null]));
}

export function isSearch(query) {
  return query.has("q") || query.has("upload");
}

export function findLike(...ids) {
  begin({ q: ids });
}

/** Show pictures by these words of the address alone. */
export function begin(changes) {
  showPictures({ ...noFilters(), sort: null, ...changes });
}

/** Show pictures under the filters that there are, by no query but what `changes` say. */
export function showPictures(changes) {
  go({ ...noQuery(), view: null, open: null, ...changes });
}

export function noQuery() {
  return none(QUERY);
}
