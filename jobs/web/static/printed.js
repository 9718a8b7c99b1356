"use strict";
// A page may be printed long after it was made: the sheet has the moment of printing.
addEventListener("beforeprint", () => {
  const now = new Date().toISOString();
  for (const printed of document.querySelectorAll("time[data-printed]")) {
    printed.dateTime = now;
    printed.textContent = `${now.slice(0, 16).replace("T", " ")} UTC`;
  }
});
