// Keeps a comment that is being written when its page is left: for a new image, another study, or
// a log-in that ran out. It stays in this tab, and logging out clears it.

export function keepComment(study) {
  const name = `readfirst.comment.${study}`;
  const field = () => document.querySelector("#verdict textarea");
  field().value ||= sessionStorage.getItem(name) ?? "";
  addEventListener("pagehide", () => {
    // The field is empty once a verdict was taken.
    if (field().value) sessionStorage.setItem(name, field().value);
    else sessionStorage.removeItem(name);
  });
}
