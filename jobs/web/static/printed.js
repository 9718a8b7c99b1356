"use strict";
// A page may be printed long after it was made: the sheet has the moment of printing.
addEventListener("beforeprint", () => {
  const printed = document.getElementById("printed");
  const now = new Date();
  printed.dateTime = now.toISOString();
  printed.textContent = `${now.toISOString().slice(0, 16).replace("T", " ")} UTC`;
});
