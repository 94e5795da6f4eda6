// The next unread study: reading goes on from where one is, past what was left unread, and at the
// end begins again with what this tab has not opened yet.
import { gettext } from "../common/texts.js";
import { forgetVisited, storeVisited, visitedStudies } from "../worklist/state.js";
import { showNotice } from "./notice.js";

const REASON = "readfirst.next";
const TEXTS = {
  stat: gettext("This STAT study has not been opened here yet, so it comes first."),
  from_top: gettext("The end of the unread studies was reached. From the top again, with those not opened here yet."),
  again: gettext("All unread studies have been opened here. From the top again."),
};

export function setUpNextUnread(study) {
  tellReason();
  storeVisited(study);
  document.addEventListener("click", (event) => {
    const link = /** @type {Element} */ (event.target).closest("a[data-key=n]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    goOn(study, /** @type {HTMLAnchorElement} */ (link).href);
  });
}

// fallback: leads on without what this tab has visited, and to the log-in where the session ended.
async function goOn(study, fallback) {
  const response = await fetch("/api/v1/worklist/next", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ after: study, visited: visitedStudies() }),
  }).catch(() => null);
  if (!response) {
    showNotice(gettext("The server does not answer, so the next study cannot be opened."));
    return;
  }
  const next = response.ok ? await response.json() : undefined;
  // A page of its own says that others read all of them.
  if (!next || next.reason === "read_by_others") {
    location.assign(next === null ? "/" : fallback);
    return;
  }
  if (next.reason === "again") forgetVisited();
  sessionStorage.setItem(REASON, next.reason);
  location.assign(`/studies/${next.study_instance_uid}`);
}

function tellReason() {
  const notice = TEXTS[sessionStorage.getItem(REASON)];
  sessionStorage.removeItem(REASON);
  if (notice) showNotice(notice);
}
