// The map in the hand: dragging, wheel, pinch, keys, drawing a region.

import { listen } from "../dom.js";

const STEP = 60; // pixels that an arrow moves by
const CLOSE = 1.4; // times that a key zooms by
const TAP = 6; // pixels within which a press is no drag
const EVEN = 0.003; // of the map's side, within which points lie on a line
const KEYS = {
  ArrowLeft: (camera) => camera.move(STEP, 0),
  ArrowRight: (camera) => camera.move(-STEP, 0),
  ArrowUp: (camera) => camera.move(0, STEP),
  ArrowDown: (camera) => camera.move(0, -STEP),
  "+": (camera) => camera.zoomBy(CLOSE),
  "=": (camera) => camera.zoomBy(CLOSE),
  "-": (camera) => camera.zoomBy(1 / CLOSE),
  0: (camera) => camera.reset(),
};

export class Hands {
  drawing = false; // whether the next drag draws a region
  line = []; // of the region that is being drawn, on the map

  /** `acts` has moved(), pointed(left, top), tapped(left, top), drawn(points). */
  constructor(canvas, camera, acts) {
    Object.assign(this, { canvas, camera, acts, pointers: new Map() });
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    listen(canvas, {
      pointerdown: (event) => this.#down(event),
      pointermove: (event) => this.#move(event),
      pointerup: (event) => this.#up(event),
      pointercancel: (event) => this.#up(event),
      pointerleave: () => acts.pointed(null),
      keydown: (event) => this.#key(event),
    });
  }

  #place(event) {
    return [event.offsetX, event.offsetY];
  }

  #wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 20 : 1);
    this.camera.zoomBy(Math.exp(-Math.max(-200, Math.min(200, pixels)) / 300), ...this.#place(event));
    this.acts.moved();
  }

  #down(event) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.#place(event));
    if (this.pointers.size > 1) this.line = [];
    this.start = this.#place(event);
    this.far = false;
    if (this.drawing) this.line = [this.camera.toMap(...this.start)];
  }

  #move(event) {
    const now = this.#place(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.acts.pointed(...now);
      return;
    }
    this.pointers.set(event.pointerId, now);
    if (Math.hypot(now[0] - this.start[0], now[1] - this.start[1]) > TAP) this.far = true;
    if (this.pointers.size === 2) this.#pinch(event.pointerId, before, now);
    else if (this.drawing) this.line.push(this.camera.toMap(...now));
    else if (this.far) this.camera.move(now[0] - before[0], now[1] - before[1]);
    this.acts.moved();
  }

  #pinch(id, before, now) {
    const [other] = [...this.pointers].filter(([one]) => one !== id).map(([, place]) => place);
    const distance = ([x, y]) => Math.max(1, Math.hypot(x - other[0], y - other[1]));
    const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
    this.camera.zoomBy(distance(now) / distance(before), ...middle);
    this.far = true;
  }

  #up(event) {
    if (!this.pointers.delete(event.pointerId) || this.pointers.size) return;
    const line = this.line;
    this.line = [];
    if (this.drawing && this.far && line.length > 2) this.acts.drawn(thinned(line));
    else if (!this.far && event.type === "pointerup") this.acts.tapped(...this.#place(event));
    this.acts.moved();
  }

  #key(event) {
    const act = KEYS[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act(this.camera);
    this.acts.moved();
  }
}

/** Leave points out that lie on the line between others (Douglas and Peucker 1973). */
function thinned(line) {
  const [first, last] = [line[0], line.at(-1)];
  const away = line.map((point) => distance(point, first, last));
  const far = away.indexOf(Math.max(...away));
  if (away[far] < EVEN || line.length < 3) return [first, last];
  return [...thinned(line.slice(0, far + 1)), ...thinned(line.slice(far)).slice(1)];
}

function distance([x, y], [ax, ay], [bx, by]) {
  const length = Math.hypot(bx - ax, by - ay);
  if (!length) return Math.hypot(x - ax, y - ay);
  return Math.abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / length;
}
