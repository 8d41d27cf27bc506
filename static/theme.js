// Use the colour scheme that the user chose on their own page or with the admin's button; without a
// choice, follow the system.

const root = document.documentElement;
if (root.dataset.colours) localStorage.setItem("theme", root.dataset.colours);
const chosen = localStorage.getItem("theme");
if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
