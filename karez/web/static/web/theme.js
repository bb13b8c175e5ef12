// Light or dark, before the page is drawn: the person's choice, else the device's.
(function () {
  "use strict";
  var kept = null;
  try { kept = localStorage.getItem("karez-theme"); } catch (error) { kept = null; }
  var dark = window.matchMedia && window.matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.setAttribute("data-bs-theme", kept || (dark ? "dark" : "light"));
})();
