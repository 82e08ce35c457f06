// Sorts the rows of the board that are shown, without asking anybody; a board that was drawn anew is sorted as before.
if (!window.podiumSorting) {
  window.podiumSorting = true;
  const compare = new Intl.Collator("en", {numeric: true, sensitivity: "base"}).compare;
  let chosen = null;
  const heads = () => [...document.querySelectorAll(".podium-board thead th")];
  const sort = () => {
    const table = document.querySelector(".podium-board"), all = heads();
    const at = all.findIndex(head => chosen && head.dataset.sort === chosen.key);
    if (!table || at < 0) return;
    const value = row => row.cells[at].dataset.v ?? row.cells[at].textContent.trim();
    for (const body of table.querySelectorAll("tbody:not(.pinned)")) {
      const rows = [...body.rows].filter(row => !row.classList.contains("divider"));
      const ordered = [...rows].sort((one, other) => {
        const a = value(one), b = value(other);
        if (a === "" || b === "") return (a === "") - (b === "");
        return (isNaN(a) || isNaN(b) ? compare(a, b) : a - b) * (chosen.falling ? -1 : 1);
      });
      if (ordered.some((row, place) => row !== rows[place])) body.append(...ordered);
    }
    for (const head of all) head.removeAttribute("aria-sort");
    all[at].setAttribute("aria-sort", chosen.falling ? "descending" : "ascending");
  };
  document.addEventListener("click", event => {
    const head = event.target.closest(".podium-board thead button")?.closest("th");
    if (!head) return;
    const now = head.getAttribute("aria-sort");
    const falling = now ? now === "ascending" : head.dataset.first === "desc";
    chosen = {key: head.dataset.sort, falling};
    sort();
  });
  // Of another phase's table, the head is new; the observer sees it whichever way the page drew it.
  new MutationObserver(() => {
    if (chosen && document.querySelector(".podium-board") && !document.querySelector(".podium-board th[aria-sort]")) sort();
  }).observe(document.body, {childList: true, subtree: true});
}
