// What hands do on the film, by mouse, pen and fingers. It calls `film`, which does it:
// windowBy(across, down) in CSS pixels; moveBy(across, down) and zoomBy(factor, point) in those of
// the canvas; fit().

// How fast the wheel zooms: for a wheel's notch (100), and for fingers on a touch pad.
const WHEEL = 0.0016;
const PINCH = 0.01;
const LINE = 16;
const MOVING_BUTTONS = 0b110;

export function watchHands(stage, film) {
  const held = new Map();
  let spaceHeld = false;

  // Where an event is, in pixels of the canvas.
  function pointOf(event) {
    const box = stage.getBoundingClientRect();
    return {
      x: (event.clientX - box.left) * devicePixelRatio,
      y: (event.clientY - box.top) * devicePixelRatio,
    };
  }

  stage.addEventListener("pointerdown", (event) => {
    stage.focus({ preventScroll: true });
    stage.setPointerCapture(event.pointerId);
    held.set(event.pointerId, event);
    event.preventDefault();
  });

  stage.addEventListener("pointermove", (event) => {
    film.pointAt(pointOf(event));
    const before = held.get(event.pointerId);
    if (!before) return;
    if (held.size === 2) pinch(before, event);
    else drag(before, event);
    held.set(event.pointerId, event);
  });

  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    stage.addEventListener(end, (event) => held.delete(event.pointerId));
  }
  stage.addEventListener("pointerleave", () => film.pointAt(null));
  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener("dblclick", () => film.fit());

  function drag(before, event) {
    const across = event.clientX - before.clientX;
    const down = event.clientY - before.clientY;
    if (spaceHeld || event.buttons & MOVING_BUTTONS) {
      film.moveBy(across * devicePixelRatio, down * devicePixelRatio);
    } else film.windowBy(across, down);
  }

  // Two fingers: the film goes with their middle and grows with their distance.
  function pinch(before, event) {
    const [other] = [...held.values()].filter((each) => each.pointerId !== event.pointerId);
    const [still, from, to] = [other, before, event].map(pointOf);
    film.moveBy((to.x - from.x) / 2, (to.y - from.y) / 2);
    const factor = distance(still, to) / Math.max(1, distance(still, from));
    film.zoomBy(factor, { x: (still.x + to.x) / 2, y: (still.y + to.y) / 2 });
  }

  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const turned = event.deltaY * (event.deltaMode ? LINE : 1);
      film.zoomBy(Math.exp(-turned * (event.ctrlKey ? PINCH : WHEEL)), pointOf(event));
    },
    { passive: false },
  );

  // Space moves while it is held, but on a button it presses that.
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || (event.target !== stage && event.target !== document.body)) return;
    spaceHeld = true;
    event.preventDefault();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === " ") spaceHeld = false;
  });
}

function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
