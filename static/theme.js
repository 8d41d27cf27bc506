// Pages take the scheme that was chosen with the button of the admin; without a choice they follow the system.

const chosen = localStorage.getItem("theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
