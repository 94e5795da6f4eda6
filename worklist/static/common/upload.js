// Uploads files that are chosen, or dropped anywhere on the page, one after another.
import { gettext, inLanguage, ngettext } from "./texts.js";
import { UploadTray } from "./upload-tray.js";

const form = document.getElementById("upload");
const input = form.querySelector("input");
const output = form.querySelector("output");
const hint = document.getElementById("drop-hint");
const tray = new UploadTray(document.getElementById("upload-tray"));

// A file that fails does not keep the others back.
async function uploadAll(files) {
  const lines = files.map((file) => tray.add(file.name));
  let uploaded = 0;
  for (const [index, file] of files.entries()) {
    output.textContent = gettext("Sending {number} of {all} …", { number: index + 1, all: files.length });
    try {
      tray.follow(lines[index], await upload(file));
      uploaded += 1;
    } catch (error) {
      tray.fail(lines[index], error.message);
    }
  }
  if (files.length) output.textContent = summary(uploaded, files.length);
}

function summary(uploaded, all) {
  if (uploaded === all) return ngettext("{number} file uploaded.", "{number} files uploaded.", all);
  return ngettext("{uploaded} of {number} file uploaded.", "{uploaded} of {number} files uploaded.", all, { uploaded });
}

// Resolves to what the server says of the file. Throws an Error that says why it was not taken.
async function upload(file) {
  const body = new FormData();
  body.append("files", file);
  const response = await fetch(form.getAttribute("action"), inLanguage({ method: "POST", body })).catch(() => null);
  if (!response) throw new Error(gettext("the server does not answer"));
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail ?? response.statusText);
  return answer[0];
}

const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");

input.addEventListener("change", async () => {
  await uploadAll([...input.files]);
  input.value = "";
});
form.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  hint.hidden = !holdsFiles(event);
});
// Leaving an element of the page enters another one; leaving the page enters none.
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) hint.hidden = true; });
document.addEventListener("drop", (event) => {
  event.preventDefault();
  hint.hidden = true;
  uploadAll([...event.dataTransfer.files]);
});
