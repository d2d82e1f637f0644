// Draws the map on a canvas: circles with their typical pictures, or the pictures themselves.

import { OTHER, thumbnail } from "../format.js";

const FACES = 15; // pixels of radius from which a circle shows its typical picture
const NAMES = 12; // and from which it shows its name, where there is room
const INNER = 0.4; // of the radius, below the centre: where a name stands inside
const HIGH = 14; // pixels of a name
const KEPT = 600; // small pictures
export const INSIDE = 110; // pixels of radius from which a cell shows its pictures

export class Thumbnails {
  constructor(arrived) {
    Object.assign(this, { arrived, images: new Map() });
  }

  /** Return an image that is there, else null, and have it come. */
  get(id, pixels) {
    const address = thumbnail(id, pixels);
    let image = this.images.get(address);
    if (image) this.images.delete(address); // and put back as the last used
    else {
      image = new Image();
      image.addEventListener("load", this.arrived, { once: true });
      image.src = address;
    }
    this.images.set(address, image);
    if (this.images.size > KEPT) this.images.delete(this.images.keys().next().value);
    return image.complete && image.naturalWidth ? image : null;
  }
}

export class Drawing {
  /** `radius(cell)` is in pixels, `color(cell)` for the canvas, `inside(cell)` its pictures or null. */
  constructor(canvas, camera, thumbnails) {
    Object.assign(this, { canvas, camera, thumbnails, context: canvas.getContext("2d") });
  }

  resize(width, height) {
    const ratio = devicePixelRatio || 1;
    Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    this.ratio = ratio;
    this.camera.resize(width, height);
  }

  draw({ cells, radius, color, inside, chosen, pointed, region }) {
    const { context, camera } = this;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    this.styles = this.#styles();
    const circles = [];
    for (const cell of cells) {
      const [x, y] = camera.toWindow(cell.x, cell.y);
      const r = radius(cell);
      if (!camera.sees(x, y, r)) continue;
      circles.push({ cell, x, y, r });
      const pictures = r >= INSIDE ? inside(cell) : null;
      const dim = chosen.size > 0 && !chosen.has(cell.cell);
      context.globalAlpha = dim ? 0.3 : 1;
      if (pictures) this.#pictures(x, y, r, color(cell), pictures);
      else this.#circle(cell, x, y, r, color(cell));
      if (cell === pointed) this.#ring(x, y, r + 3, this.styles.ink, 2);
      context.globalAlpha = 1;
    }
    this.#names(circles);
    if (region.length) this.#region(region);
  }

  /** Return the colours of the scheme, as a canvas takes them. */
  #styles() {
    const { style } = this.canvas;
    const colors = ["ink", "page", "accent", "well"].map((name) => {
      style.color = `var(--${name})`;
      return [name, getComputedStyle(this.canvas).color];
    });
    return Object.fromEntries(colors);
  }

  #circle(cell, x, y, r, color) {
    const face = r >= FACES ? this.thumbnails.get(cell.picture, Math.min(2 * r, 160)) : null;
    const { context } = this;
    context.fillStyle = color;
    this.#disc(x, y, r);
    context.fill();
    if (face) this.#face(face, x, y, r * 0.86);
  }

  #disc(x, y, r) {
    this.context.beginPath();
    this.context.arc(x, y, r, 0, 2 * Math.PI);
  }

  #face(image, x, y, r) {
    const { context } = this;
    context.save();
    this.#disc(x, y, r);
    context.clip();
    this.#cover(image, x - r, y - r, 2 * r);
    context.restore();
  }

  #cover(image, left, top, side) {
    const least = Math.min(image.naturalWidth, image.naturalHeight);
    const [x, y] = [(image.naturalWidth - least) / 2, (image.naturalHeight - least) / 2];
    this.context.drawImage(image, x, y, least, least, left, top, side, side);
  }

  /** Write names, those of large circles first, each where it hides no other and no circle. */
  #names(circles) {
    const { context, styles } = this;
    Object.assign(context, { font: "600 12px system-ui, sans-serif", textAlign: "center", textBaseline: "middle" });
    Object.assign(context, { lineWidth: 3, lineJoin: "round", strokeStyle: styles.page, fillStyle: styles.ink });
    const written = [];
    for (const { cell, x, y, r } of circles.sort((a, b) => b.r - a.r)) {
      if (r < NAMES || r >= INSIDE) continue;
      const text = nameOf(cell);
      const half = context.measureText(text).width / 2 + 2;
      const isFree = (at) => !written.some((other) => Math.abs(other.x - x) < other.half + half && Math.abs(other.at - at) < HIGH)
        && !circles.some((other) => covers(other, x, at, half));
      const inside = half <= r * Math.sqrt(1 - INNER ** 2) ? y + INNER * r : null;
      const at = [y + r + 9, y - r - 9].find(isFree) ?? inside;
      if (at === null) continue;
      written.push({ x, at, half });
      context.strokeText(text, x, at);
      context.fillText(text, x, at);
    }
  }

  #pictures(x, y, r, color, pictures) {
    this.context.globalAlpha *= 0.18;
    this.context.fillStyle = color;
    this.#disc(x, y, r);
    this.context.fill();
    this.context.globalAlpha /= 0.18;
    this.#ring(x, y, r, color, 2);
    for (const picture of pictures) {
      const { left, top, side } = pictureBox(this.camera, picture);
      if (!this.camera.sees(left + side / 2, top + side / 2, side)) continue;
      const image = this.thumbnails.get(picture.image_id, Math.min(side, 200));
      this.context.fillStyle = this.styles.well;
      if (image) this.#cover(image, left, top, side);
      else this.context.fillRect(left, top, side, side);
    }
  }

  #ring(x, y, r, color, width) {
    this.context.strokeStyle = color;
    this.context.lineWidth = width;
    this.#disc(x, y, r);
    this.context.stroke();
  }

  #region(points) {
    const { context, camera, styles } = this;
    context.beginPath();
    for (const [x, y] of points) context.lineTo(...camera.toWindow(x, y));
    context.closePath();
    context.strokeStyle = styles.accent;
    context.lineWidth = 2;
    context.stroke();
    context.globalAlpha = 0.12;
    context.fillStyle = styles.accent;
    context.fill();
    context.globalAlpha = 1;
  }
}

/** Return whether a circle lies under a name that stands around a point. */
function covers(circle, x, y, half) {
  const across = Math.max(0, Math.abs(circle.x - x) - half);
  const down = Math.max(0, Math.abs(circle.y - y) - HIGH / 2);
  return Math.hypot(across, down) < circle.r;
}

/** Name a cell by its label, or by what most of its pictures look like. */
function nameOf({ label, name }) {
  return label && label !== OTHER ? label : (name ?? "").split(",")[0];
}

/** Return where a picture of a cell is in the window. */
export function pictureBox(camera, picture) {
  const side = picture.side * camera.scale;
  const [x, y] = camera.toWindow(picture.x, picture.y);
  return { left: x - side / 2, top: y - side / 2, side };
}

/** Lay the pictures of a cell into its circle, as they lie around its centre, with a side each. */
export function placed(cell, pictures) {
  const far = Math.max(...pictures.map(({ x, y }) => Math.hypot(x - cell.x, y - cell.y)), 1e-9);
  const side = 1.2 * cell.r / Math.sqrt(Math.max(pictures.length, 3));
  const stretch = (cell.r - 0.7 * side) / far; // their corners stay within
  return pictures.map((picture) => ({
    ...picture,
    x: cell.x + (picture.x - cell.x) * stretch,
    y: cell.y + (picture.y - cell.y) * stretch,
    side,
  }));
}
