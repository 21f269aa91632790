// Small repairs of the page; everything works without them.
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
