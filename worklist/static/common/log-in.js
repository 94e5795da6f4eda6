// The session has ended: the log-in leads back to this page, and what was being saved is not lost.

const inFlight = new Set();
let leaving = false;

// True once this page goes to the log-in: what is sent from then on may get no answer.
export const isLeaving = () => leaving;

// Has `leaveForLogIn` wait for what is being saved. Returns a promise of the same.
export function beforeLeaving(saving) {
  inFlight.add(saving);
  return saving.finally(() => inFlight.delete(saving));
}

// Goes to the log-in once, whoever notices first that the session has ended, and however many do.
export async function leaveForLogIn() {
  if (leaving) return;
  leaving = true;
  await Promise.allSettled(inFlight);
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}
