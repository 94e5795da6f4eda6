// Mouse, pen and touch on a film. It calls `film`: windowBy(across, down) in CSS pixels;
// moveBy(across, down), zoomBy(factor, point) and pointAt(point) in pixels of the canvas; fit().

// How fast the wheel zooms: for a wheel's notch (100), and for fingers on a touch pad.
const WHEEL = 0.0016;
const PINCH = 0.01;
const LINE = 16;
const MOVE_BUTTONS = 0b110;

//
// tool: takes clicks and drags of the first button while it is active: down, move and up (point).
export function trackPointer(element, film, tool, signal) {
  // The last event of each pointer that is pressed, by its id.
  const pointers = new Map();
  let isSpaceDown = false;
  let isMeasuring = false;

  // Where an event is, in pixels of the canvas.
  function pointOf(event) {
    const box = element.getBoundingClientRect();
    return {
      x: (event.clientX - box.left) * devicePixelRatio,
      y: (event.clientY - box.top) * devicePixelRatio,
    };
  }

  element.addEventListener("pointerdown", (event) => {
    // A button over the film is pressed, and the film is left alone.
    if (event.target.closest("button")) return;
    element.focus({ preventScroll: true });
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event);
    if (isForTool(event)) tool.down(pointOf(event));
    event.preventDefault();
  });

  element.addEventListener("pointermove", (event) => {
    film.pointAt(pointOf(event));
    tool.move(pointOf(event));
    const previous = pointers.get(event.pointerId);
    if (!previous) return;
    if (pointers.size === 2) pinch(previous, event);
    else drag(previous, event);
    pointers.set(event.pointerId, event);
  });

  element.addEventListener("pointerup", (event) => {
    if (isMeasuring) tool.up(pointOf(event));
    isMeasuring = false;
  });
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
    element.addEventListener(type, (event) => pointers.delete(event.pointerId));
  }
  element.addEventListener("pointerleave", () => film.pointAt(null));
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  element.addEventListener("dblclick", () => { if (!tool.isActive) film.fit(); });

  // True from the moment that a tool has the pointer until it is let go.
  function isForTool(event) {
    isMeasuring = tool.isActive && film.film !== null && event.button === 0 && !isSpaceDown && pointers.size === 1;
    return isMeasuring;
  }

  function drag(previous, event) {
    if (isMeasuring) return;
    const across = event.clientX - previous.clientX;
    const down = event.clientY - previous.clientY;
    if (isSpaceDown || event.buttons & MOVE_BUTTONS) {
      film.moveBy(across * devicePixelRatio, down * devicePixelRatio);
    } else film.windowBy(across, down);
  }

  // Two fingers: the film moves with their middle and grows with their distance.
  function pinch(previous, event) {
    const [other] = [...pointers.values()].filter(({ pointerId }) => pointerId !== event.pointerId);
    const [still, from, to] = [other, previous, event].map(pointOf);
    film.moveBy((to.x - from.x) / 2, (to.y - from.y) / 2);
    const factor = distance(still, to) / Math.max(1, distance(still, from));
    film.zoomBy(factor, { x: (still.x + to.x) / 2, y: (still.y + to.y) / 2 });
  }

  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const delta = event.deltaY * (event.deltaMode ? LINE : 1);
      film.zoomBy(Math.exp(-delta * (event.ctrlKey ? PINCH : WHEEL)), pointOf(event));
    },
    { passive: false },
  );

  // A drag with the space key down moves the film; on a button, space presses it.
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || (event.target !== element && event.target !== document.body)) return;
    isSpaceDown = true;
    event.preventDefault();
  }, { signal });
  document.addEventListener("keyup", (event) => {
    if (event.key === " ") isSpaceDown = false;
  }, { signal });
}

function distance(from, to) {
  return Math.hypot(from.x - to.x, from.y - to.y);
}
