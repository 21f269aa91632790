// The sliders above a figure are ipywidgets'. Their handles tell a screen reader neither name nor value, their readouts
// are stops of the Tab key that lead nowhere, and a finger that scrolls past them moves them: that is mended here.

import { direction, placeOn } from "./gestures.js";
import { clamp } from "./words.js";

// Say what a slider is of, and where it stands.
export function nameHandle(slider, { name, labels }, index) {
  const handle = slider.querySelector(".noUi-handle");
  if (!handle) return;
  const told = { "aria-label": name, "aria-valuetext": labels[index] };
  for (const [attribute, value] of Object.entries(told))
    if (handle.getAttribute(attribute) !== value) handle.setAttribute(attribute, value);
}

export class Sliders {
  constructor(figure) {
    this.figure = figure;
    this.known = new WeakSet();
    this.off = [];
  }

  get sliders() {
    return [...(this.figure.container?.querySelectorAll(".uo-sliders .widget-slider") ?? [])];
  }

  // Take care of the sliders that are there by now, and say where they stand.
  attend() {
    this.sliders.forEach((slider, axis) => {
      if (!this.known.has(slider)) this.adopt(slider, axis);
      this.tell(slider, axis);
    });
  }

  close() {
    this.off.forEach((undo) => undo());
  }

  adopt(slider, axis) {
    const handle = slider.querySelector(".noUi-handle");
    if (!handle) return;
    this.known.add(slider);
    const readout = slider.querySelector(".widget-readout");
    if (readout) {
      readout.removeAttribute("contenteditable");
      readout.removeAttribute("tabindex");
      readout.setAttribute("aria-hidden", "true");
    }
    // noUiSlider writes the index there with every move.
    const observer = new MutationObserver(() => this.tell(slider, axis));
    observer.observe(handle, { attributes: true, attributeFilter: ["aria-valuetext"] });
    this.off.push(() => observer.disconnect(), this.fingers(slider, axis));
  }

  tell(slider, axis) {
    nameHandle(slider, this.figure.spec.axes[axis], this.figure.index(axis));
  }

  // A finger is kept from noUiSlider, which would act on its first touch.
  fingers(slider, axis) {
    const track = slider.querySelector(".noUi-target");
    let from = null;
    let dragging = false;
    const move = (event) => {
      const [x] = placeOn(track, event);
      const last = this.figure.count(axis) - 1;
      const index = Math.round(clamp(x / track.getBoundingClientRect().width, 0, 1) * last);
      if (index !== this.figure.index(axis)) this.figure.choose({ [`i${axis}`]: index });
    };
    const steps = {
      // It listens to touches, not to pointers.
      touchstart: (event) => event.stopPropagation(),
      pointerdown(event) {
        if (event.pointerType !== "touch" || !event.isPrimary) return;
        event.stopPropagation();
        from = { x: event.clientX, y: event.clientY };
      },
      pointermove(event) {
        if (event.pointerType !== "touch" || (!from && !dragging)) return;
        event.stopPropagation();
        if (!dragging) {
          const went = direction(from, event);
          if (!went) return;
          from = null;
          if (went === "along") return;
          dragging = true;
          track.setPointerCapture(event.pointerId);
        }
        move(event);
      },
      pointerup(event) {
        if (event.pointerType !== "touch") return;
        if (from || dragging) event.stopPropagation();
        if (from) move(event);
        from = null;
        dragging = false;
      },
      pointercancel() {
        from = null;
        dragging = false;
      },
    };
    for (const [name, listener] of Object.entries(steps)) track.addEventListener(name, listener, { capture: true });
    return () => {
      for (const [name, listener] of Object.entries(steps))
        track.removeEventListener(name, listener, { capture: true });
    };
  }
}
