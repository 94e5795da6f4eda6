// Runs before the first paint: a list with a search text is not shown before it is searched, and its
// rows have the density that was chosen.
if (sessionStorage.getItem("readfirst.text")) document.documentElement.classList.add("searching");
if (localStorage.getItem("readfirst.compact") === "on") document.documentElement.classList.add("compact");
