// The labels that there are: suggested in the search box, and offered where words were no query.

import { findLike } from "../address.js";
import { ask } from "../api.js";
import { button, el, fill, find } from "../dom.js";
import { many } from "../format.js";

const OFFERED = 20;

async function labelsThereAre() {
  const { labels } = await ask("labels").catch(() => ({ labels: [] }));
  return labels.filter(({ pictures }) => pictures);
}

export async function suggestLabels() {
  const labels = await labelsThereAre();
  const option = ({ label, pictures }) => el("option", { value: label, label: `${label}, ${many(pictures)}` });
  fill(find("#known-labels"), labels.map(option));
}

export async function offeredLabels() {
  const labels = (await labelsThereAre()).slice(0, OFFERED);
  const chips = labels.map(({ label }) => button({ text: label, class: "chip", on: () => findLike(label) }));
  return [el("p", "Search takes words, an id, a URL, a picture, or a label:"), el("div.chips", chips)];
}
