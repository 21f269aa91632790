// A figure whose runs are played step by step: the button that plays them, the bar of steps, and the time between two.
//
// A subclass calls `buildClock()` when it is built, `followClock()` once its table is there and `paintClock()` when it
// paints, and names the parts that follow the step in `played`.

import { LiveFigure } from "./figure.js";
import { gestures } from "./gestures.js";
import { clamp } from "./words.js";

const PLAY_SECONDS = 5;
const STILL_STEPS_A_SECOND = 4;

const prefersStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export class TimedFigure extends LiveFigure {
  buildClock() {
    this.progress = this.model.get("step");
    this.play = this.find(".uo-play");
    this.scrub = this.find(".uo-step");
    this.stepText = this.find(".uo-step-text");
    this.play.addEventListener("click", () => (this.playing ? this.pause() : this.run()));
    this.scrub.addEventListener("input", () => {
      this.pause();
      this.go(Number(this.scrub.value));
    });
    this.scrub.addEventListener("change", () => this.model.save_changes());
  }

  followClock() {
    this.listen("step", () => this.stepped());
    gestures(
      this.scrub.parentNode,
      (event) => {
        const { left, width } = this.scrub.getBoundingClientRect();
        this.pause();
        this.scrub.focus({ preventScroll: true });
        this.go(Math.round(clamp((event.clientX - left) / width, 0, 1) * this.spec.steps));
      },
      () => this.model.save_changes(),
    );
  }

  close() {
    this.pause();
    super.close();
  }

  stepped() {
    if (!this.playing) {
      this.progress = this.model.get("step");
      this.keepSoon();
    }
    this.touched = true;
    this.mark(...this.played, "says");
  }

  go(step) {
    this.progress = step;
    this.model.set("step", clamp(Math.round(step), 0, this.spec.steps));
  }

  run() {
    if (this.progress >= this.spec.steps) this.go(0);
    this.playing = true;
    let before = null;
    let owed = 0;
    const tick = (now) => {
      if (!this.playing) return;
      const seconds = before === null ? 0 : Math.min((now - before) / 1000, 0.1);
      before = now;
      if (prefersStill()) {
        owed += seconds * STILL_STEPS_A_SECOND;
        if (owed >= 1) this.advance(Math.floor(owed));
        owed %= 1;
      } else this.advance(seconds * Math.max(this.spec.steps / PLAY_SECONDS, 6));
      if (this.playing) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    this.mark("says");
  }

  advance(steps) {
    this.progress = Math.min(this.progress + steps, this.spec.steps);
    const whole = Math.floor(this.progress);
    if (whole !== this.model.get("step")) this.model.set("step", whole);
    this.mark(...this.played);
    if (this.progress >= this.spec.steps) this.pause();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.progress = this.model.get("step");
    this.model.save_changes();
    this.mark(...this.played, "says");
  }

  paintClock() {
    const step = this.model.get("step");
    if (Number(this.scrub.value) !== step) this.scrub.value = step;
    this.put(this.stepText, `step ${step} of ${this.spec.steps}`);
    this.put(this.play.lastElementChild, this.playing ? "Pause" : "Play");
    this.play.dataset.playing = String(Boolean(this.playing));
  }
}
