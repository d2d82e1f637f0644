// What stands on the view of the map: tools, the canvas with its buttons, legend and list.

import { button, el, title } from "../dom.js";

const CLOSER = 1.6;

export function buildMap(panel, acts, list) {
  const canvas = el("canvas", {
    tabindex: 0,
    role: "application",
    "aria-label": "Map of the cells",
    "aria-describedby": "map-help",
  });
  const status = title("Loading…");
  const by = el("select", { "aria-label": "Coloured by", on: { change: acts.coloured } });
  const lasso = button({
    text: "Draw a region",
    symbol: "region",
    class: "plain toggle",
    "aria-pressed": "false",
    on: acts.armed,
  });
  const legend = el("ul.legend", { "aria-label": "Colours" });
  const card = el("section.cell-card", { "aria-label": "Cell", hidden: true });
  const stage = el("div.map-stage", canvas, zoomButtons(acts), card);
  const seen = button({ text: "Take what is seen", on: acts.seen });
  const colour = el("label.order", "Colour ", by);
  panel.append(
    el("div.toolbar", status, colour, lasso, seen),
    el("div.map-body", stage, el("div.map-side", legend, list)),
    el("p.unseen", { id: "map-help" }, HELP),
  );
  return { canvas, status, by, lasso, legend, card, stage };
}

const HELP =
  "Arrows move, plus and minus zoom, 0 shows all. The list of cells leads to the same pictures.";

function zoomButtons({ zoomed, fitted }) {
  return el("div.zoom",
    button({ name: "Zoom in", symbol: "plus", class: "", on: () => zoomed(CLOSER) }),
    button({ name: "Zoom out", symbol: "minus", class: "", on: () => zoomed(1 / CLOSER) }),
    button({ name: "Show all", symbol: "fit", class: "", on: fitted }),
  );
}
