// Shows the OpenAPI document of this server.
const api = document.getElementById("api");

// Swagger UI follows a class, and not the setting of the system.
const dark = matchMedia("(prefers-color-scheme: dark)");
const followScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followScheme);
followScheme();

window.SwaggerUIBundle({
  domNode: api,
  url: api.dataset.document,
  // As a link, a path would stand within the button that opens its operation.
  deepLinking: false,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  // Else it would ask a server of its makers.
  validatorUrl: "none",
  // What is typed here stays in this tab.
  persistAuthorization: false,
});
