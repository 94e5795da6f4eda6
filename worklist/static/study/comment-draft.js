// Keeps the draft of a comment when its page is left: for a new image, another study, or a session
// that has ended. It stays in this tab, and logging out clears it.

export function keepCommentDraft(study) {
  const key = `readfirst.comment.${study}`;
  /** @returns {HTMLTextAreaElement} */
  const field = () => document.querySelector("#verdict textarea");
  const draft = sessionStorage.getItem(key) ?? "";
  // The browser may have sent the verdict itself, before htmx was there: then the draft is accepted.
  const accepted = document.querySelector("#verdict .current-verdict .comment")?.textContent;
  if (draft.trim() !== accepted) field().value ||= draft;
  addEventListener("pagehide", () => {
    // The field is empty once a verdict was accepted.
    if (field().value) sessionStorage.setItem(key, field().value);
    else sessionStorage.removeItem(key);
  });
}
