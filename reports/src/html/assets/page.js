// What every page has: colours, saving, the table behind a figure. Without scripts the page is
// complete, with still pictures.
const root = document.documentElement;
root.classList.add("js");
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

/** An element with attributes and children; texts never become markup. */
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.filter((c) => c != null));
  return made;
}

/** JSON that the page carries under an identity; `null` without it. */
function carried(id) {
  const script = document.getElementById(id);
  return script ? JSON.parse(script.textContent) : null;
}

const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
const rem = () => parseFloat(getComputedStyle(root).fontSize);
const onTheme = [];

function setTheme(dark) {
  root.dataset.theme = dark ? "dark" : "light";
  onTheme.forEach((f) => f());
}

function themeTools() {
  const prefers = matchMedia("(prefers-color-scheme: dark)");
  let chosen = false;
  setTheme(prefers.matches);
  prefers.addEventListener("change", () => chosen || setTheme(prefers.matches));
  const flip = () => {
    chosen = true;
    setTheme(root.dataset.theme !== "dark");
    button.setAttribute("aria-pressed", root.dataset.theme === "dark");
  };
  const button = el("button", { type: "button", id: "theme", onclick: flip, "aria-pressed": prefers.matches }, t("dark"));
  const other = root.lang.startsWith("zh") ? "en" : "zh";
  const language = el("button", { type: "button", id: "language", lang: other }, other === "zh" ? "中文" : "English");
  language.addEventListener("click", () => setLanguage(root.lang.startsWith("zh") ? "en" : "zh"));
  onLanguage.push(() => {
    const zh = root.lang.startsWith("zh");
    button.textContent = t("dark");
    language.textContent = zh ? "English" : "中文";
    language.lang = zh ? "en" : "zh";
  });
  $("#tools")?.append(button, language);
}

function save(name, type, content) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = el("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 5000);
}

/** The still picture as a document of its own. */
function pictureOf(figure) {
  const frames = $$(".frame", figure);
  const shown = frames.find((f) => f.offsetParent !== null) ?? frames[0];
  const svg = $("svg", shown).cloneNode(true);
  $$(".now,.later,.linked", svg).forEach((g) => g.classList.remove("now", "later", "linked"));
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return new XMLSerializer().serializeToString(svg);
}

function savePng(figure) {
  const svg = pictureOf(figure);
  const box = $(".frame svg", figure).viewBox.baseVal;
  const image = new Image();
  image.onload = () => {
    const scale = Math.min(2, 16000 / Math.max(box.width, box.height));
    const canvas = el("canvas", { width: Math.round(box.width * scale), height: Math.round(box.height * scale) });
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => {
      save(figure.id + ".png", "image/png", blob);
      figure.dataset.saved = "png " + blob.size;
    });
  };
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
}

/** Rows of a CSV text (RFC 4180). */
function parseCsv(text) {
  const rows = [[]];
  const cell = /("(?:[^"]|"")*"|[^,\n]*)(,|\n|$)/gy;
  for (let found; cell.lastIndex < text.length && (found = cell.exec(text)); ) {
    const [, raw, end] = found;
    rows.at(-1).push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    if (end === "\n") rows.push([]);
  }
  if (rows.at(-1).length === 0) rows.pop();
  return rows;
}

const MOST_TABLE_ROWS = 500;

function tableOf(rows, title) {
  const [head, ...body] = rows;
  const isNumber = head.map((_, i) => body.slice(0, 50).every((r) => !r[i] || isFinite(r[i])));
  const cls = (i) => ({ class: isNumber[i] ? "n" : null });
  const table = el("table", {}, el("caption", { class: "vh" }, title),
    el("thead", {}, el("tr", {}, ...head.map((h, i) => el("th", { ...cls(i), scope: "col" }, h)))),
    el("tbody", {}, ...body.slice(0, MOST_TABLE_ROWS).map((r) => el("tr", {}, ...r.map((c, i) => el("td", cls(i), c))))));
  const more = body.length - MOST_TABLE_ROWS;
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": title }, table,
    more > 0 ? el("p", { class: "small" }, t("moreRows").replace("{}", more)) : null);
}

function figureTools(figure) {
  const bar = el("div", { class: "bar" });
  const button = (word, action) => {
    const made = el("button", { type: "button", onclick: () => action(made) }, t(word));
    onLanguage.push(() => (made.textContent = t(word)));
    bar.append(made);
    return made;
  };
  const carriedNumbers = $("script.numbers", figure);
  const numbers = carriedNumbers && JSON.parse(carriedNumbers.textContent);
  if (numbers) {
    const shown = button("table", (made) => {
      const there = $(".numbers-table", figure);
      made.setAttribute("aria-pressed", !there);
      if (there) return there.remove();
      const table = tableOf(parseCsv(numbers), $("h3", figure)?.textContent ?? figure.id);
      table.classList.add("numbers-table");
      figure.append(table);
    });
    shown.setAttribute("aria-pressed", false);
    button("csv", () => save(figure.id + ".csv", "text/csv", numbers));
  }
  button("svg", () => save(figure.id + ".svg", "image/svg+xml", pictureOf(figure)));
  button("png", () => savePng(figure));
  $("figcaption", figure).before(bar);
}
