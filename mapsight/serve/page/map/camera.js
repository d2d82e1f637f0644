// Which part of the map is seen: places are 0 to 1 both ways, the window is in CSS pixels.

const FLY = 350; // milliseconds
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const EDGE = 0.04; // of the map, around it when all is seen

export class Camera {
  constructor() {
    Object.assign(this, { width: 1, height: 1, zoom: 1, x: 0.5, y: 0.5, closest: 40 });
  }

  get scale() {
    return (Math.min(this.width, this.height) / (1 + 2 * EDGE)) * this.zoom;
  }

  resize(width, height) {
    Object.assign(this, { width, height });
  }

  toWindow(x, y) {
    return [this.width / 2 + (x - this.x) * this.scale, this.height / 2 + (y - this.y) * this.scale];
  }

  toMap(left, top) {
    return [this.x + (left - this.width / 2) / this.scale, this.y + (top - this.height / 2) / this.scale];
  }

  move(across, down) {
    this.#center(this.x - across / this.scale, this.y - down / this.scale);
  }

  /** Zoom, with the place under a point of the window staying there. */
  zoomBy(factor, left = this.width / 2, top = this.height / 2) {
    const [x, y] = this.toMap(left, top);
    this.zoom = Math.max(1, Math.min(this.closest, this.zoom * factor));
    const [dx, dy] = [(left - this.width / 2) / this.scale, (top - this.height / 2) / this.scale];
    this.#center(x - dx, y - dy);
  }

  /** Return where to look so that a circle of the map fills a share of the window. */
  seeing({ x, y, r }, share) {
    const wanted = (share * this.zoom * Math.min(this.width, this.height)) / (2 * r * this.scale);
    return { x, y, zoom: Math.max(1, Math.min(this.closest, wanted)) };
  }

  reset() {
    Object.assign(this, { zoom: 1, x: 0.5, y: 0.5 });
  }

  sees(left, top, radius) {
    return left > -radius && top > -radius && left < this.width + radius && top < this.height + radius;
  }

  corners() {
    const [left, top] = this.toMap(0, 0);
    const [right, bottom] = this.toMap(this.width, this.height);
    return [[left, top], [right, top], [right, bottom], [left, bottom]];
  }

  #center(x, y) {
    this.x = Math.max(0, Math.min(1, x));
    this.y = Math.max(0, Math.min(1, y));
  }
}

/** Move a camera to where it shall look, frame by frame; at once where motion is not wanted. */
export function fly(camera, to, draw) {
  const from = { x: camera.x, y: camera.y, zoom: camera.zoom };
  const began = performance.now();
  const move = (now) => {
    const part = calm.matches ? 1 : Math.max(0, Math.min(1, (now - began) / FLY));
    const eased = part * part * (3 - 2 * part);
    camera.zoom = from.zoom * (to.zoom / from.zoom) ** eased;
    camera.x = from.x + (to.x - from.x) * eased;
    camera.y = from.y + (to.y - from.y) * eased;
    draw();
    if (part < 1) requestAnimationFrame(move);
  };
  requestAnimationFrame(move);
}
