"use strict";
// Where the line about a person is too short for its words, a button shows all of them.
(() => {
  const line = document.querySelector("[data-line]");
  const button = line.querySelector("[data-in-full]");
  const words = [...line.querySelectorAll("h1, span, p")];

  function fit() {
    if (button.ariaExpanded === "true") return;
    button.hidden = true; // its own room is not what the words lack
    button.hidden = !words.some((one) => one.scrollWidth > one.clientWidth + 1);
  }
  button.addEventListener("click", () => {
    const open = line.classList.toggle("open");
    button.ariaExpanded = String(open);
    button.textContent = open ? "Less" : "More";
    fit();
  });
  addEventListener("resize", fit);
  fit();
})();
