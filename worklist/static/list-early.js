// Before anything is shown: a list that is searched by a text is not shown without it.
if (sessionStorage.getItem("readfirst.text")) document.documentElement.classList.add("searching");
