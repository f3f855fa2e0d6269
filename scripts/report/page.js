"use strict";
// The page is whole without this script: it adds sorting, a pause for animations, and opens what is printed.

const NOTHING = "–";

function shown(row, column) {
  return row.cells[column].textContent.trim();
}
function firstNumber(text) {
  const found = text.replace("−", "-").match(/[-+]?\d[\d,]*(\.\d+)?(e[-+]?\d+)?/i);
  return found ? Number(found[0].replaceAll(",", "")) : NaN;
}
function sort(table, header, descending) {
  const column = header.cellIndex, numeric = header.classList.contains("number");
  const keyed = [...table.tBodies[0].rows].map((row) => {
    const text = shown(row, column);
    return { row, key: numeric ? firstNumber(text) : text, last: text.startsWith(NOTHING) || text === "" };
  });
  const compare = numeric ? (a, b) => a.key - b.key : (a, b) => a.key.localeCompare(b.key, "en", { numeric: true });
  keyed.sort((a, b) => {  // stable: equal rows keep their order; what is missing stands last either way
    if (a.last || b.last) return a.last - b.last;
    return descending ? compare(b, a) : compare(a, b);
  });
  table.tBodies[0].append(...keyed.map((entry) => entry.row));
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
}
for (const table of document.querySelectorAll("table.sortable")) {
  for (const header of table.tHead.rows[0].cells) {
    const button = document.createElement("button"), arrow = document.createElement("span");
    button.type = "button";
    button.append(...header.childNodes);
    arrow.className = "arrow";
    arrow.setAttribute("aria-hidden", "true");
    button.append(arrow);
    header.append(button);
    button.addEventListener("click", () => sort(table, header, header.getAttribute("aria-sort") === "ascending"));
  }
}

for (const source of document.querySelectorAll("picture > source")) {
  const button = document.createElement("button"), media = source.media;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  button.type = "button";
  button.className = "pause";
  const tell = (paused) => {
    button.textContent = paused ? "Play the animation" : "Pause the animation";
    button.dataset.paused = paused;
  };
  tell(still);
  button.addEventListener("click", () => {
    const paused = button.dataset.paused !== "true";
    source.media = paused ? "all" : still ? "print" : media;
    tell(paused);
  });
  source.closest(".card").after(button);
}

let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const details of opened) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
});

const places = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const headings = [...places.keys()].map((id) => document.getElementById(id));
let current = null;
function mark() {  // the last heading above the upper third of the window
  const above = headings.filter((heading) => heading.getBoundingClientRect().top < innerHeight / 3);
  const link = places.get((above.at(-1) ?? headings[0]).id);
  if (link === current) return;
  current?.removeAttribute("aria-current");
  link.setAttribute("aria-current", "location");
  current = link;
}
let waiting = false;
addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; mark(); });
}, { passive: true });
mark();
