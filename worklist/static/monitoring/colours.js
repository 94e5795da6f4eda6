// Colours of the style sheet, as a canvas takes them: of the light or the dark scheme, as it is now.
let probe = null;

// The browser's value for a colour, which an element of the page resolves.
function resolve(value) {
  if (!probe) {
    probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = value;
  return getComputedStyle(probe).color;
}

export const colour = (name) => resolve(`var(--${name})`);

export const faintColour = (name) => resolve(`color-mix(in srgb, var(--${name}) 18%, transparent)`);
