// The reader chooses data, a transform and k; what was computed or measured is shown. Needs base.js and the data.
const { picture, places, transforms, first } = pageData();
const by = (id) => document.getElementById(id);
let place, wanted = first.k; // the k that the reader asked for last, kept while a transform has no such k

const percent = (value) => value === null ? "\u2013" : (100 * value).toFixed(1);
const number = (value, digits) => value === null ? "\u2013"
  : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const nameOf = (key) => (transforms.find((entry) => entry.key === key) || { name: key }).name;
const shownOf = (key) => picture && picture.transforms.find((entry) => entry.key === key);
// How far two k are apart: by their ratio, as costs are.
const apart = (a, b) => Math.abs(Math.log(a / b));

// The numbers k that the slider has: those of the pictures, or the measured ones where there is no picture.
function sizes() {
  const shown = shownOf(by("transform").value);
  if (shown) return shown.images.map((image) => image.k);
  return [...new Set(place.settings.filter((one) => one.transform === by("transform").value).map((one) => one.k))];
}
const chosenK = () => sizes()[Number(by("k").value)];

// The measured setting whose k is nearest, on the plain network; undefined where the transform was not run.
function nearest(k) {
  const own = place.settings.filter((one) => one.transform === by("transform").value && one.plain);
  return own.sort((a, b) => apart(a.k, k) - apart(b.k, k))[0];
}
function paint(canvas, packed) {
  const bytes = atob(packed), side = picture.side;
  canvas.width = canvas.height = side;
  const image = new ImageData(side, side);
  for (let at = 0; at < side * side; at++) {
    const grey = bytes.charCodeAt(at);
    image.data.set([grey, grey, grey, 255], 4 * at);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}
function drawPicture(k) {
  const shown = shownOf(by("transform").value);
  by("pictures").hidden = !shown;
  if (!shown) return;
  const image = shown.images.find((one) => one.k === k);
  paint(by("rebuilt"), image.pixels);
  by("rebuilt").setAttribute("aria-label", "The picture rebuilt from " + number(k, 0) + " numbers by " + shown.name);
  by("holds").textContent = image.says;
}
function sayNearest(k, setting) {
  const name = nameOf(by("transform").value);
  if (!setting) {
    const others = [...new Set(place.settings.map((one) => nameOf(one.transform)))].join(", ");
    by("nearest").textContent = "";
    by("says").textContent = name + " was not run on " + place.name + ". There are: " + others + ".";
    return;
  }
  by("nearest").textContent = setting.k === k ? "Measured with k = " + number(k, 0) + "."
    : "k = " + number(k, 0) + " was not measured on " + place.name + "; the nearest that was is k = " + number(setting.k, 0) + ".";
  by("says").textContent = setting.says;
}
// Steps of 1, 2 or 5 times a power of ten that leave at most `most` lines.
function step(span, most) {
  const power = 10 ** Math.floor(Math.log10(span / most));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => span / one <= most);
}
function drawPlane(setting) {
  const plot = by("plane"), width = Math.max(300, Math.round(plot.parentElement.clientWidth)), height = 300;
  const left = 46, right = width - 18, top = 14, bottom = height - 44;
  plot.replaceChildren();
  plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const known = place.settings.filter((one) => one.cpu > 0 && one.encrypted !== null);
  plot.setAttribute("aria-label", "Accuracy under encryption by server CPU per image: " + known.map((one) =>
    `${one.name} ${percent(one.encrypted)} % at ${number(one.cpu, 2)} ms`).join("; "));
  if (!known.length) { element("svg:text", "not measured", plot, { x: left, y: 40 }); return; }
  const logs = known.map((one) => Math.log10(one.cpu)), values = known.flatMap((one) =>
    [one.encrypted, one.ci_low, one.ci_high]).filter((value) => value !== null).map((value) => 100 * value);
  const [x0, x1] = [Math.min(...logs) - .12, Math.max(...logs) + .12];
  const pad = (Math.max(...values) - Math.min(...values)) * .05 || 1;
  const [y0, y1] = [Math.min(...values) - pad, Math.max(...values) + pad];
  const x = (one) => left + (right - left) * (Math.log10(one.cpu) - x0) / (x1 - x0);
  const at = (value) => bottom - (bottom - top) * (value - y0) / (y1 - y0);
  const every = step(y1 - y0, 6);
  for (let value = Math.ceil(y0 / every) * every; value <= y1; value += every) {
    element("svg:line", "", plot, { x1: left, x2: right, y1: at(value), y2: at(value), class: "grid" });
    element("svg:text", String(Number(value.toFixed(6))), plot, { x: left - 6, y: at(value) + 4, "text-anchor": "end" });
  }
  for (let power = Math.floor(x0); power <= x1; power++) {
    for (const times of [1, 3]) {
      const cpu = times * 10 ** power, line = x({ cpu });
      if (line < left || line > right) continue;
      element("svg:line", "", plot, { x1: line, x2: line, y1: top, y2: bottom, class: "grid" });
      element("svg:text", String(Number(cpu.toPrecision(1))), plot, { x: line, y: bottom + 17, "text-anchor": "middle" });
    }
  }
  element("svg:text", "server CPU per image, ms", plot, { x: (left + right) / 2, y: bottom + 36, "text-anchor": "middle" });
  element("svg:text", "%", plot, { x: left - 6, y: top - 3, "text-anchor": "end" });
  const own = known.filter((one) => one.transform === by("transform").value && one.plain).sort((a, b) => a.k - b.k);
  element("svg:polyline", "", plot, { points: own.map((one) => `${x(one)},${at(100 * one.encrypted)}`).join(" "), class: "link" });
  for (const one of known) {
    if (one === setting && one.ci_low !== null)
      element("svg:line", "", plot, { x1: x(one), x2: x(one), y1: at(100 * one.ci_low), y2: at(100 * one.ci_high), class: "interval" });
    const dot = element("svg:circle", "", plot,
      { cx: x(one), cy: at(100 * one.encrypted), r: 4.5, class: own.includes(one) ? "own" : "other" });
    element("svg:title", one.says, dot);
    if (one === setting) element("svg:circle", "", plot, { cx: x(one), cy: at(100 * one.encrypted), r: 9, class: "ring" });
  }
}
function table(setting) {
  const body = document.querySelector("tbody");
  body.replaceChildren();
  for (const one of place.settings) {
    const row = element("tr", "", body, one === setting ? { class: "chosen", "aria-current": "true" } : {});
    const head = element("th", "", row, { scope: "row" });
    if (one.plain) {
      element("button", one.name, head, { type: "button", class: "link", "data-key": one.key })
        .addEventListener("click", () => choose(one));
    } else head.textContent = one.name;
    const interval = one.ci_low === null ? "\u2013" : percent(one.ci_low) + " to " + percent(one.ci_high);
    const bytes = (value) => number(value === null ? null : value / 1000, 1);
    const texts = [percent(one.encrypted), interval, percent(one.clear), number(one.cpu, 2), bytes(one.up), bytes(one.down),
      percent(one.energy)];
    for (const text of texts) element("td", text, row, { class: "number" });
  }
}
function choose(one) {
  by("transform").value = one.transform;
  wanted = one.k;
  bounds();
  update();
  const button = [...document.querySelectorAll("tbody button")].find((made) => made.dataset.key === one.key);
  if (button) button.focus(); // the table was drawn again, and a keyboard stays where it was
}
// Give the slider the numbers of the transform, and put it at the one nearest to what the reader asked for.
function bounds() {
  const own = sizes();
  by("k").max = Math.max(0, own.length - 1);
  by("k").disabled = own.length < 2;
  by("k").value = own.reduce((best, size, at) => apart(size, wanted) < apart(own[best], wanted) ? at : best, 0);
}
function update() {
  const k = chosenK(), setting = k === undefined ? undefined : nearest(k);
  const words = k === undefined ? "\u2013" : number(k, 0) + (k === 1 ? " number" : " numbers");
  by("k-text").textContent = words;
  by("k").setAttribute("aria-valuetext", words);
  drawPicture(k);
  sayNearest(k, setting);
  drawPlane(setting);
  table(setting);
}
function open() {
  place = places[Number(by("place").value)];
  by("about").textContent = place.about;
  bounds();
  update();
}
by("place").addEventListener("change", open);
by("transform").addEventListener("change", () => { bounds(); update(); });
by("k").addEventListener("input", () => { wanted = chosenK(); update(); });
addEventListener("resize", () => { if (place) update(); });
if (picture) {
  paint(by("original"), picture.pixels);
  by("picture-title").textContent = "the picture itself: " + picture.title + ", " + picture.side + "x" + picture.side;
}
if (places.length) {
  place = places[0];
  if (transforms.some((entry) => entry.key === first.transform)) by("transform").value = first.transform;
  open();
} else {
  by("both").hidden = true;
  by("k-text").textContent = "These results hold no settings to choose from.";
}
