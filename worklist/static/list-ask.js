// Asks the server for the list as it is now: the state in the address, the text in the body.
import { heldText } from "./list-state.js";

let behind = 0;

// How far this machine's clock is behind the server's, in milliseconds, as the last answer says.
export const clockBehind = () => behind;

// Its parts, as elements of no document. extra: further parameters, as `rows`.
export async function askForList(path, extra = {}) {
  const address = new URL(path, location.origin);
  address.search = location.search;
  for (const [name, value] of Object.entries(extra)) address.searchParams.set(name, value);
  const text = heldText();
  const body = text ? new URLSearchParams({ text }) : undefined;
  const answer = await fetch(address, { method: body ? "POST" : "GET", body });
  const said = Date.parse(answer.headers.get("date"));
  if (said) behind = said - Date.now();
  if (answer.status === 401) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  if (answer.redirected) history.replaceState(null, "", new URL(answer.url).search || "/");
  if (!answer.ok) throw new Error(`The list was answered by ${answer.status}.`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}
