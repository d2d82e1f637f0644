// The view of the map: cells by likeness, from afar as circles, from near as pictures.

import { findLike, showPictures } from "../address.js";
import { ask } from "../api.js";
import { announce, busy, el, fill, notice, toast } from "../dom.js";
import { many } from "../format.js";
import { Camera, fly } from "./camera.js";
import { fillCellCard } from "./card.js";
import { colouring } from "./colors.js";
import { Drawing, INSIDE, Thumbnails, pictureBox, placed } from "./drawing.js";
import { Hands } from "./hands.js";
import { CellList } from "./list.js";
import { buildMap } from "./page.js";
import { hideFacts, showFacts } from "../pictures/facts_card.js";

const LOADS = 6; // cells whose pictures are asked for at a time

export default class CellMap {
  cells = [];
  pictures = new Map(); // of cells that were near: their pictures, or null while they come
  chosen = new Set();
  region = [];
  pointed = null;

  constructor(panel, summary) {
    Object.assign(this, { panel, summary, camera: new Camera() });
    this.#build();
    this.thumbnails = new Thumbnails(() => this.draw());
    this.drawing = new Drawing(this.canvas, this.camera, this.thumbnails);
    this.hands = new Hands(this.canvas, this.camera, {
      moved: () => this.draw(),
      pointed: (left, top) => this.#pointAt(left, top),
      tapped: (left, top) => this.#tap(left, top),
      drawn: (points) => this.#drawn(points),
    });
    new ResizeObserver(() => this.#resize()).observe(this.stage);
    for (const [target, name] of [[window, "scheme"], [matchMedia("(prefers-color-scheme: dark)"), "change"]]) {
      target.addEventListener(name, () => this.draw());
    }
  }

  #build() {
    const acts = {
      coloured: () => this.#colour(),
      armed: () => this.#arm(!this.hands.drawing),
      seen: () => this.#drawn(this.camera.corners()),
      zoomed: (factor) => {
        this.camera.zoomBy(factor);
        this.draw();
      },
      fitted: () => {
        this.camera.reset();
        this.draw();
      },
    };
    this.list = new CellList({
      pointed: (cell, show) => this.#point(cell, show),
      chosen: (cell) => this.#choose(cell, true),
    });
    Object.assign(this, buildMap(this.panel, acts, this.list.node));
  }

  async show(query) {
    this.chosen = new Set(query.getAll("cell").map(Number));
    this.region = pointsOf(query.get("region"));
    this.#resize();
    if (this.loaded) return;
    this.loaded = true;
    try {
      this.#arrived((await ask("map")).cells);
    } catch (error) {
      this.#failed(error);
    }
  }

  stale() {
    this.loaded = false;
    this.pictures.clear();
  }

  #arrived(cells) {
    if (!cells.length) {
      this.#failed(new Error("The index has no cells with pictures."));
      return;
    }
    this.cells = cells;
    const radii = cells.map(({ r }) => r).sort((a, b) => a - b);
    this.camera.closest = 0.6 / radii[Math.floor(radii.length / 2)];
    this.status.textContent = many(cells.length, "cell");
    announce(`Map of ${many(cells.length, "cell")}`);
    const measures = this.summary.measures.filter(({ name }) => typeof cells[0][name] === "number");
    this.titles = new Map([["label", "label"], ...measures.map(({ name, title }) => [name, title])]);
    fill(this.by, [...this.titles].map(([value, text]) => el("option", { value }, text)));
    busy(this.panel, false);
    this.#colour();
  }

  #failed(error) {
    this.loaded = false;
    busy(this.panel, false);
    fill(this.panel, notice("There is no map", error.message));
    this.show = () => {};
  }

  #colour() {
    const by = this.by.value || "label";
    const { color, legend } = colouring(this.cells, by, this.titles.get(by));
    this.color = color;
    fill(this.legend, legend);
    this.list.show(this.cells, color);
    this.draw();
  }

  #resize() {
    const { clientWidth, clientHeight } = this.stage;
    if (!clientWidth || !clientHeight) return;
    this.drawing.resize(clientWidth, clientHeight);
    this.draw();
  }

  draw() {
    if (this.waiting || !this.color) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.#drawNow();
    });
  }

  #drawNow() {
    this.drawing.draw({
      cells: this.cells,
      radius: (cell) => this.#radius(cell),
      color: this.color,
      inside: (cell) => this.#inside(cell),
      chosen: this.chosen,
      pointed: this.pointed,
      region: this.hands.line.length ? this.hands.line : this.region,
    });
  }

  #radius(cell) {
    return cell.r * this.camera.scale;
  }

  #inside(cell) {
    const there = this.pictures.get(cell.cell);
    if (there === undefined && [...this.pictures.values()].filter((one) => one === null).length < LOADS) {
      this.pictures.set(cell.cell, null);
      this.#load(cell);
    }
    return there ?? null;
  }

  async #load(cell) {
    try {
      const { pictures } = await ask(`map/${cell.cell}`);
      this.pictures.set(cell.cell, placed(cell, pictures));
    } catch (error) {
      this.pictures.set(cell.cell, []);
      toast(error.message);
    }
    this.draw();
  }

  #hit(left, top) {
    let near = null;
    for (const cell of this.cells) {
      const [x, y] = this.camera.toWindow(cell.x, cell.y);
      if (Math.hypot(left - x, top - y) <= Math.max(6, this.#radius(cell))) near = cell;
    }
    if (!near) return {};
    const pictures = this.#radius(near) >= INSIDE ? this.pictures.get(near.cell) : null;
    const picture = pictures?.findLast((one) => {
      const box = pictureBox(this.camera, one);
      return left >= box.left && top >= box.top && left <= box.left + box.side && top <= box.top + box.side;
    });
    return { cell: near, picture };
  }

  #pointAt(left, top) {
    const { cell = null, picture } = left === null ? {} : this.#hit(left, top);
    this.canvas.classList.toggle("points", Boolean(cell) && !this.hands.drawing);
    this.canvas.title = cell && !picture ? `${cell.label || "no label"}: ${many(cell.pictures)}, ${cell.name}` : "";
    hideFacts();
    if (picture) {
      const { x, y } = this.canvas.getBoundingClientRect();
      const box = pictureBox(this.camera, picture);
      showFacts(picture, new DOMRect(x + box.left, y + box.top, box.side, box.side));
    }
    if (cell !== this.pointed) this.#point(cell, false);
  }

  #point(cell, show) {
    this.pointed = cell;
    if (cell && show) this.#fly(cell, 0.25);
    this.draw();
  }

  #tap(left, top) {
    const { cell, picture } = this.#hit(left, top);
    if (picture) findLike(picture.image_id);
    else if (cell) this.#choose(cell, false);
    else this.card.hidden = true;
  }

  #choose(cell, focus) {
    this.#point(cell, false);
    fillCellCard(this.card, cell, { zoom: () => this.#fly(cell, 0.9), close: () => this.#closeCard() });
    if (focus) this.card.querySelector(".primary").focus();
  }

  #closeCard() {
    this.card.hidden = true;
    this.canvas.focus();
  }

  #fly(cell, share) {
    const to = this.camera.seeing(cell, share);
    fly(this.camera, to, () => this.#drawNow());
  }

  #arm(on) {
    this.hands.drawing = on;
    this.lasso.setAttribute("aria-pressed", on);
    this.canvas.classList.toggle("draws", on);
    if (on) toast("Draw around the cells that you want");
  }

  #drawn(points) {
    this.#arm(false);
    const region = points.flat().map((number) => number.toFixed(4)).join(",");
    showPictures({ region });
  }
}

function pointsOf(region) {
  return (region?.match(/[^,]+,[^,]+/g) ?? []).map((pair) => pair.split(",").map(Number));
}
