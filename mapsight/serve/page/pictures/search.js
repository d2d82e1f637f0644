// The search box: words, an id, a URL, a picture that is pasted, dropped or chosen.

import { go, isSearch, noQuery, showPictures } from "../address.js";
import { button, find, listen, toast } from "../dom.js";
import { typing } from "../keys.js";
import { suggestLabels } from "./labels.js";
import { keep } from "./question.js";

const MOST = 10; // pictures of one query
const AND = " + "; // between the queries of which the mean is asked

export function startSearch() {
  const [form, words, file] = [find("#search"), find("#words"), find("#file")];
  form.append(button({ name: "Search by pictures of yours", symbol: "plus", on: () => file.click() }));
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
  suggestLabels();
}

export function showQuery(query) {
  const words = find("#words");
  if (words !== document.activeElement || isSearch(query)) words.value = query.getAll("q").join(AND);
}

function searchWords(text) {
  const q = text.split(AND).map((one) => one.trim()).filter(Boolean);
  showPictures({ q });
  if (q.length) find("#main").focus();
}

function searchFiles(files) {
  const pictures = files.filter((file) => !file.type || file.type.startsWith("image/"));
  const asked = pictures.slice(0, MOST);
  if (asked.length) showPictures({ upload: keep(asked) });
  else if (files.length) toast("That is no picture");
  if (pictures.length > MOST) toast(`Only the first ${MOST} of ${pictures.length} pictures are asked for`);
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
  listen(window, {
    dragenter: (event) => {
      if (!droppable(event)) return;
      depth++;
      drop.hidden = false;
    },
    dragleave: () => --depth <= 0 && end(),
    dragover: (event) => droppable(event) && event.preventDefault(),
    drop: (event) => {
      event.preventDefault();
      end();
      dropped(event.dataTransfer);
    },
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
