// Pointers on a drawing or a slider. A mouse acts at once; a finger acts by a tap or by a drag to the side, so that a
// finger that scrolls past a figure changes nothing.

const SLOP = 8;

// Where a finger has gone since it came down: "aside", "along" the page, or null as long as that is open.
export function direction(from, event) {
  const [across, along] = [Math.abs(event.clientX - from.x), Math.abs(event.clientY - from.y)];
  if (Math.max(across, along) < SLOP) return null;
  return across > along ? "aside" : "along";
}

// `act(event, kind)` is called with "press" and "drag"; `done()` when the pointer is lifted.
export function gestures(element, act, done = () => {}) {
  let waiting = null;
  let holding = false;

  function hold(event, kind) {
    holding = true;
    element.setPointerCapture(event.pointerId);
    act(event, kind);
  }

  function down(event) {
    if (event.button || !event.isPrimary) return;
    if (event.pointerType !== "touch") return hold(event, "press");
    waiting = { x: event.clientX, y: event.clientY };
  }

  function move(event) {
    if (holding) return act(event, "drag");
    if (!waiting) return;
    const went = direction(waiting, event);
    if (!went) return;
    waiting = null;
    if (went === "aside") hold(event, "drag");
  }

  function up(event) {
    if (waiting) {
      act(event, "press");
      done();
    }
    end();
  }

  function end() {
    waiting = null;
    if (holding) done();
    holding = false;
  }

  const listeners = {
    pointerdown: down,
    pointermove: move,
    pointerup: up,
    pointercancel: end,
    lostpointercapture: end,
  };
  for (const [name, listener] of Object.entries(listeners)) element.addEventListener(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) element.removeEventListener(name, listener);
  };
}

// Where an event is on an element, in its pixels; `offsetX` is of whatever child the pointer is on.
export function placeOn(element, event) {
  const { left, top } = element.getBoundingClientRect();
  return [event.clientX - left, event.clientY - top];
}
