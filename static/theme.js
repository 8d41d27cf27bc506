// Use the colour scheme chosen with the admin's button; without a choice, follow the system.

const chosen = localStorage.getItem("theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
