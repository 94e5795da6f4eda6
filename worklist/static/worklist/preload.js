// Runs before the first paint: a list with a search text is not shown before it is searched.
if (sessionStorage.getItem("readfirst.text")) document.documentElement.classList.add("searching");
