// The search box: words, an id, a URL, a picture that is pasted, dropped or chosen.

import { go, isSearch, noQuery } from "../address.js";
import { ask } from "../api.js";
import { announce, button, el, fill, find } from "../dom.js";
import { many } from "../format.js";
import { typing } from "../keys.js";
import { keep } from "./question.js";

const MOST = 10; // pictures of one query

export function startSearch() {
  const [form, words, file] = [find("#search"), find("#words"), find("#file")];
  form.append(
    button({ name: "Search by pictures of yours", symbol: "plus", on: () => file.click() }),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    searchWords(words.value);
  });
  words.addEventListener("search", () => {
    if (!words.value) go(noQuery());
  });
  file.addEventListener("change", () => {
    searchFiles([...file.files]);
    file.value = "";
  });
  addEventListener("paste", pasted);
  startDropping();
  offerLabels();
}

export function showQuery(query) {
  const words = find("#words");
  if (words !== document.activeElement || isSearch(query)) words.value = query.getAll("q").join(", ");
}

function searchWords(text) {
  const words = text.trim();
  go({ ...noQuery(), view: null, open: null, q: words || null });
  if (words) find("#main").focus();
}

function searchFiles(files) {
  const pictures = files.filter((file) => !file.type || file.type.startsWith("image/")).slice(0, MOST);
  if (pictures.length) go({ ...noQuery(), view: null, open: null, upload: keep(pictures) });
  else if (files.length) announce("That is no picture");
}

function pasted(event) {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length) {
    event.preventDefault();
    searchFiles(files);
  } else if (!typing(event.target)) {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (text.trim()) searchWords(text);
  }
}

function startDropping() {
  let depth = 0; // enter and leave come for every element that is passed
  const drop = find("#drop");
  const end = () => {
    depth = 0;
    drop.hidden = true;
  };
  addEventListener("dragenter", (event) => {
    if (!droppable(event)) return;
    depth++;
    drop.hidden = false;
  });
  addEventListener("dragleave", () => {
    if (--depth <= 0) end();
  });
  addEventListener("dragover", (event) => droppable(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    end();
    dropped(event.dataTransfer);
  });
}

function droppable(event) {
  const types = event.dataTransfer?.types ?? [];
  return types.includes("Files") || types.includes("text/uri-list");
}

function dropped(data) {
  if (data.files.length) searchFiles([...data.files]);
  else {
    const address = data.getData("text/uri-list").split("\n").find((line) => /^https?:/.test(line));
    if (address) searchWords(address);
  }
}

async function offerLabels() {
  const { labels } = await ask("labels").catch(() => ({ labels: [] }));
  const options = labels.map(({ label, pictures }) =>
    el("option", { value: label, label: `${label}, ${many(pictures)}` }),
  );
  fill(find("#known-labels"), options);
}
