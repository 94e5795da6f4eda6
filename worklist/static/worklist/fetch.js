// Fetches the list as it is now: the state in the address, the search text in the body.
import { leaveForLogIn } from "../common/log-in.js";
import { gettext } from "../common/texts.js";
import { searchText } from "./state.js";

// Milliseconds after which a server that says nothing counts as gone.
const PATIENCE = 15_000;

let clockOffset = 0;

// How far this machine's clock is behind the server's, in milliseconds, by the last response.
export const serverClockOffset = () => clockOffset;

// Resolves to a document of its own. extra: further parameters, as `rows`.
export async function fetchList(path, extra = {}) {
  const url = new URL(path, location.origin);
  url.search = location.search;
  for (const [name, value] of Object.entries(extra)) url.searchParams.set(name, value);
  const text = searchText();
  const body = text ? new URLSearchParams({ text }) : undefined;
  const response = await fetch(url, { method: body ? "POST" : "GET", body, signal: AbortSignal.timeout(PATIENCE) });
  const serverTime = Date.parse(response.headers.get("date"));
  if (serverTime) clockOffset = serverTime - Date.now();
  if (response.status === 401) leaveForLogIn();
  if (response.redirected) history.replaceState(null, "", new URL(response.url).search || "/");
  if (!response.ok) throw new Error(gettext("The list was answered by {status}.", { status: response.status }));
  return new DOMParser().parseFromString(await response.text(), "text/html");
}
