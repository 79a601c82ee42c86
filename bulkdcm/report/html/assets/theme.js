"use strict";
// Light, dark, or as the system has it; remembered where the browser lets a file from the disk remember.
(() => {
  const button = document.getElementById("theme");
  const themes = ["system", "light", "dark"];
  const remembered = () => {
    try { return localStorage.getItem("bulkdcm-theme"); } catch { return null; }
  };
  const set = (theme) => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
    button.dataset.theme = theme;
    try { localStorage.setItem("bulkdcm-theme", theme); } catch { /* it holds for this visit */ }
  };
  const before = remembered();
  set(themes.includes(before) ? before : "system");
  button.hidden = false;
  button.addEventListener("click", () => set(themes[(themes.indexOf(button.dataset.theme) + 1) % themes.length]));
})();
