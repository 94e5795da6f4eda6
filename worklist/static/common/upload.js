// Uploads files that are chosen, or dropped anywhere on the page, one after another.
const form = document.getElementById("upload");
const input = form.querySelector("input");
const output = form.querySelector("output");

async function uploadAll(files) {
  let uploaded = 0;
  for (const [index, file] of files.entries()) {
    output.textContent = `Sending ${index + 1} of ${files.length} …`;
    const error = await upload(file);
    if (error) {
      output.textContent = `${uploaded} of ${files.length} in the inbox. ${file.name} was not taken: ${error}`;
      return;
    }
    uploaded += 1;
  }
  if (uploaded) output.textContent = `${uploaded} of ${files.length} in the inbox.`;
}

// Resolves to why a file is refused; to nothing if it is accepted.
async function upload(file) {
  const body = new FormData();
  body.append("files", file);
  try {
    const response = await fetch(form.getAttribute("action"), { method: "POST", body });
    if (response.ok) return "";
    const problem = await response.json().catch(() => ({}));
    return problem.detail ?? response.statusText;
  } catch {
    return "the server does not answer.";
  }
}

input.addEventListener("change", async () => {
  await uploadAll([...input.files]);
  input.value = "";
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
  uploadAll([...event.dataTransfer.files]);
});
