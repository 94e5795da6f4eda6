// Links to a list without its search text, which stands in no address: it is forgotten on the way.
document.addEventListener("click", ({ target }) => {
  if (/** @type {Element} */ (target).closest?.("a[data-forgets-text]")) sessionStorage.removeItem("readfirst.text");
}, true);
