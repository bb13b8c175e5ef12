// The little behaviour pages have of their own: the theme switch, printing, and a question before what cannot be taken back.
(function () {
  "use strict";
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-theme-switch]");
    if (!button) { return; }
    var root = document.documentElement;
    var next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    root.setAttribute("data-bs-theme", next);
    try { localStorage.setItem("karez-theme", next); } catch (error) { /* a private window keeps nothing */ }
  });
  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-print]")) { window.print(); }
  });
  document.addEventListener("submit", function (event) {
    var question = event.target.getAttribute("data-ask");
    if (question && !window.confirm(question)) { event.preventDefault(); }
  });
  document.addEventListener("change", function (event) {
    if (event.target.matches("select[data-submit]")) { event.target.form.submit(); }
  });
  // Escape takes a hint away that hovering or focus has opened (WCAG 1.4.13); the next one shows again.
  var hush = document.documentElement.classList;
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") { hush.add("no-hints"); } });
  ["pointerover", "focusin"].forEach(function (moved) {
    document.addEventListener(moved, function (event) { if (!event.target.closest(".figure-hint")) { hush.remove("no-hints"); } });
  });
  // A table wider than the screen scrolls in its own frame, which the keyboard must reach.
  function reachable() {
    document.querySelectorAll(".table-wrap, .mono").forEach(function (frame) {
      if (frame.scrollWidth > frame.clientWidth) { frame.tabIndex = 0; } else { frame.removeAttribute("tabindex"); }
    });
  }
  document.addEventListener("DOMContentLoaded", reachable);
  window.addEventListener("load", reachable);
  window.addEventListener("resize", reachable);
  document.addEventListener("htmx:afterSettle", reachable);
})();
