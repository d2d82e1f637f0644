// The command line that gives the answers to a search.

import { filtersOf } from "../address.js";

const TAKEN = ["label", "style", "license", "subset", "min_ppi"];

/** Return the command of a search's address; null where its filters are more than it knows. */
export function searchCommand(query, total) {
  const filters = filtersOf(query);
  const names = [...filters.keys()];
  if (query.has("upload")) return null;
  if (names.some((name, place) => !TAKEN.includes(name) || names.indexOf(name) !== place)) return null;
  const asked = query.getAll("q");
  const rank = query.get("rank_by");
  const options = [...filters, ...(rank ? [["rank_by", rank]] : []), ["top_k", total]];
  return [
    "mapsight search",
    ...asked.map(quoted),
    asked.length > 1 ? "--mean" : null,
    ...options.map(([name, value]) => `--${name.replace("_", "-")} ${quoted(value)}`),
    "--only-ids",
  ].filter(Boolean).join(" ");
}

function quoted(word) {
  const text = String(word);
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}
