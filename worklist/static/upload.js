// Sends files that are chosen, or dropped anywhere on the page, into the inbox, one after another.
const form = document.getElementById("upload");
const chosen = form.querySelector("input");
const said = form.querySelector("output");

async function send(files) {
  let taken = 0;
  for (const [place, file] of files.entries()) {
    said.textContent = `Sending ${place + 1} of ${files.length} …`;
    const refusal = await refusalOf(file);
    if (refusal) {
      said.textContent = `${taken} of ${files.length} in the inbox. ${file.name} was not taken: ${refusal}`;
      return;
    }
    taken += 1;
  }
  if (taken) said.textContent = `${taken} of ${files.length} in the inbox.`;
}

// Why a file is not taken, or nothing when it is.
async function refusalOf(file) {
  const body = new FormData();
  body.append("files", file);
  try {
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body });
    if (answer.ok) return "";
    const told = await answer.json().catch(() => ({}));
    return told.detail ?? answer.statusText;
  } catch {
    return "the server does not answer.";
  }
}

chosen.addEventListener("change", async () => {
  await send([...chosen.files]);
  chosen.value = "";
});
form.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  form.classList.add("dropping");
});
document.addEventListener("dragleave", () => form.classList.remove("dropping"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("dropping");
  send([...event.dataTransfer.files]);
});
