// Facts of the picture under the pointer, or with the focus, after a moment.

import { factList, fill, find, listen, restyle } from "../dom.js";
import { decimal, said } from "../format.js";

const PATIENCE = 400; // milliseconds

/** Show facts for tiles of a box; `itemOf` returns what is known of a tile. */
export function startFacts(box, itemOf) {
  let timer;
  const soon = (event) => {
    const cell = event.target.closest(".tile");
    hideFacts();
    clearTimeout(timer);
    if (cell && (event.type !== "focusin" || cell.matches(":focus-visible"))) {
      timer = setTimeout(() => showBeside(cell, itemOf(cell)), PATIENCE);
    }
  };
  const end = () => {
    clearTimeout(timer);
    hideFacts();
  };
  listen(box, {
    pointerover: (event) => event.pointerType === "mouse" && soon(event),
    focusin: soon,
    pointerleave: end,
    focusout: end,
    scroll: end,
    pointerdown: end,
    keydown: (event) => event.key === "Escape" && end(),
  });
}

export function hideFacts() {
  find("#facts").hidden = true;
}

function showBeside(cell, item) {
  if (!item || !cell.isConnected) return;
  showFacts(item, cell.getBoundingClientRect());
}

export function showFacts(item, rect) {
  const card = find("#facts");
  fill(card, factList(factsOf(item)));
  card.hidden = false;
  const { width, height } = card.getBoundingClientRect();
  const left = rect.right + 6 + width < innerWidth ? rect.right + 6 : rect.left - width - 6;
  const top = Math.max(8, Math.min(rect.top, innerHeight - height - 8));
  restyle(card, { left: `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`, top: `${top}px` });
}

function factsOf(item) {
  return [
    ["Label", item.label && `${item.label} ${decimal(item.score, 2)}`],
    ["Alike", item.similarity === undefined ? null : decimal(item.similarity, 3)],
    ["Looks like", item.top_label],
    ["People said", said(item)],
    ["Style", item.style],
    ["Size", item.width && `${item.width} × ${item.height}`],
    ["PPI", item.ppi && decimal(item.ppi, 1)],
    ["Sharpness", item.sharpness && decimal(item.sharpness)],
    ["Author", item.author],
    ["Licence", item.license],
    ["Id", item.image_id],
  ];
}
