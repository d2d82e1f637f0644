// A scrollbar for more than a browser can scroll: beyond LIMIT the bar stands for a share of the
// whole, while the wheel and the keys still move by pixels.

const LIMIT = 8_000_000; // CSS pixels; browsers stop at 17 to 33 million

export class TallScroll {
  /** `box` scrolls `sizer`; `moved` is called when another place is seen. */
  constructor(box, sizer, moved) {
    Object.assign(this, { box, sizer, moved, height: 0, top: 0, real: 0 });
    box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    box.addEventListener("scrollend", () => this.#settle());
  }

  resize(height, top) {
    this.height = height;
    this.sizer.style.height = `${Math.min(height, LIMIT)}px`;
    this.to(top);
  }

  to(top) {
    this.top = Math.max(0, Math.min(top, this.#travel()));
    this.box.scrollTop = this.#realOf(this.top);
    this.real = this.box.scrollTop;
  }

  /** Return where in the sizer something stands that is at `place` of the whole. */
  placed(place) {
    return place - this.top + this.real;
  }

  get view() {
    return this.box.clientHeight;
  }

  #travel() {
    return Math.max(0, this.height - this.view);
  }

  get #tall() {
    return this.height > LIMIT;
  }

  #realOf(top) {
    return this.#tall ? (top / this.#travel()) * (LIMIT - this.view) : top;
  }

  #scrolled() {
    const real = this.box.scrollTop;
    const step = real - this.real;
    if (!step) return;
    this.real = real;
    if (!this.#tall) this.top = real;
    else if (Math.abs(step) < 3 * this.view) this.top += step;
    else this.top = (real / (LIMIT - this.view)) * this.#travel();
    this.top = Math.max(0, Math.min(this.top, this.#travel()));
    this.moved();
  }

  /** Bring the bar back to where it belongs after it was moved by pixels. */
  #settle() {
    if (!this.#tall || Math.abs(this.#realOf(this.top) - this.real) < 1) return;
    this.to(this.top);
    this.moved();
  }
}
