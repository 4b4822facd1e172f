// Replaces what the page shows by the present state, once a second, and opens the report at the end.
// Without scripts the page reloads itself.
"use strict";
(() => {
  const part = document.getElementById("now");
  async function update() {
    try {
      const answer = await fetch("now", { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      part.innerHTML = await answer.text();
      const report = part.firstElementChild?.dataset.report;
      if (report) return location.replace(`${report}#${document.documentElement.lang}`);
      if (part.firstElementChild?.dataset.ended) return;
    } catch {
      document.getElementById("gone").hidden = false;
      return;
    }
    setTimeout(update, 1000);
  }
  setTimeout(update, 1000);
})();
