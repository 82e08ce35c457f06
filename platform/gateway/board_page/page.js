"use strict";
// Sorting, finding and keeping up; without scripts the page is the board as it stands.
let version = document.documentElement.dataset.version, sorted = null, sought = "";
const compare = new Intl.Collator("en", {numeric: true, sensitivity: "base"}).compare;
function order(at, falling) {
  const body = document.querySelector("tbody"), heads = [...document.querySelectorAll("thead th")];
  const value = row => row.cells[at].dataset.v ?? row.cells[at].textContent.trim();
  const isNumber = heads[at].dataset.sort === "number";
  const rows = [...body.rows].sort((one, other) => {
    const a = value(one), b = value(other);
    if (a === "" || b === "") return (a === "") - (b === "");  // what is missing stays last
    return (isNumber ? a - b : compare(a, b)) * (falling ? -1 : 1);
  });
  body.append(...rows);
  heads.forEach((head, index) => index === at ? head.setAttribute("aria-sort", falling ? "descending" : "ascending")
    : head.removeAttribute("aria-sort"));
  sorted = [at, falling];
}
function find(words) {
  sought = words.trim().toLowerCase();
  for (const row of document.querySelectorAll("tbody tr"))
    row.hidden = !row.querySelector(".who").textContent.toLowerCase().includes(sought);
}
function enliven() {
  const field = document.querySelector(".find");
  if (field) {
    field.hidden = false;
    field.value = sought;
    field.addEventListener("input", () => find(field.value));
  }
  document.querySelectorAll("thead th[data-sort]").forEach((head, at) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      order(at, now ? now === "ascending" : head.dataset.first === "desc");
    });
    head.append(button);
  });
  for (const time of document.querySelectorAll("time")) {
    const when = new Date(time.dateTime);
    time.title = when.toLocaleString();
  }
}
async function keepUp() {
  if (document.hidden) return;
  const answer = await fetch(location.href, {credentials: "omit"});
  const tag = (answer.headers.get("ETag") || "").replace(/^W\//, "").replace(/"/g, "").replace(/-gz$/, "");
  if (!answer.ok || !tag || tag === version) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement?.classList.contains("find"), left = document.querySelector(".scroll")?.scrollLeft;
  document.querySelector("main").replaceWith(document.adoptNode(next.querySelector("main")));
  version = tag;
  enliven();
  if (sorted && document.querySelector("tbody")) order(...sorted);
  if (sought) find(sought);
  if (focused) document.querySelector(".find")?.focus();
  if (left) document.querySelector(".scroll").scrollLeft = left;
}
enliven();
// Not all at the same moment: a crowd that came together would ask together.
setInterval(() => keepUp().catch(() => {}), 15000 + Math.random() * 10000);
document.addEventListener("visibilitychange", () => keepUp().catch(() => {}));
