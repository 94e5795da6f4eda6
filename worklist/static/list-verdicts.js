// Verdicts from the list: whether the AI is right, given by a key and taken back by another.
const bar = document.getElementById("given");
const words = bar.querySelector("span");
const undo = bar.querySelector("button");
const FINDINGS = { pneumonia: "pneumonia", no_pneumonia: "no pneumonia" };
// Milliseconds for which the bar stays, and the last verdict can be taken back.
const STAYS = 20_000;

let last = null;
let timer = null;

// Whether there is a word of the AI to agree with.
export const hasWord = (row) => row.hasAttribute("data-scored");

// Gives the verdict. Resolves to whether it was taken.
export async function give(row, agrees) {
  const isFlagged = row.classList.contains("is-flagged");
  const finding = isFlagged === agrees ? "pneumonia" : "no_pneumonia";
  const seen = { verdicts: Number(row.dataset.verdicts), images: Number(row.dataset.images) };
  const patient = row.querySelector(".open").textContent;
  const answer = await send(row.dataset.uid, { finding }, seen);
  if (answer?.ok) {
    last = { uid: row.dataset.uid, patient, seen: { ...seen, verdicts: seen.verdicts + 1 } };
    tell(`${patient}: ${FINDINGS[finding]}; ${agrees ? "agrees" : "disagrees"} with the AI.`, true);
  } else {
    tell(`${patient}: not taken. ${await refusalOf(answer)}`, false);
  }
  return Boolean(answer?.ok);
}

// Takes the last one back. Resolves to the study's UID if it was taken back.
export async function takeBack() {
  if (!last) return null;
  const { uid, patient, seen } = last;
  const answer = await send(uid, { withdrawn: true }, seen);
  if (!answer?.ok) {
    tell(`${patient}: not taken back. ${await refusalOf(answer)}`, false);
    return null;
  }
  tell(`${patient}: the verdict is taken back.`, false);
  return uid;
}

function send(uid, said, seen) {
  const body = { ...said, verdicts_seen: seen.verdicts, images_seen: seen.images };
  return fetch(`/api/v1/studies/${uid}/verdicts`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }).catch(() => null);
}

async function refusalOf(answer) {
  if (!answer) return "The server does not answer.";
  const said = await answer.json().catch(() => ({}));
  return said.detail ?? said.title ?? answer.statusText;
}

function tell(sentence, canUndo) {
  if (!canUndo) last = null;
  words.textContent = sentence;
  undo.hidden = !canUndo;
  bar.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => {
    bar.hidden = true;
    last = null;
  }, STAYS);
}

export const onUndo = (action) => undo.addEventListener("click", action);
