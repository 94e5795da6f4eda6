// The style sheet's own colours, as a canvas takes them: light or dark, whichever holds now.
const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);

export function colour(name) {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

export function faint(name) {
  probe.style.color = `color-mix(in srgb, var(--${name}) 18%, transparent)`;
  return getComputedStyle(probe).color;
}
