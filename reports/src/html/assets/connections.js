// The table of connections: sorted and filtered in place, a page of rows at a time.
const PAGE_ROWS = 50;
const COLUMNS = [
  ["conn", "Connection", "连接"], ["from", "From", "本端"], ["to", "To", "对端"], ["opened", "Opened (s)", "打开 (s)"],
  ["handshake", "Handshake (s)", "握手 (s)"], ["lasted", "Lasted (s)", "持续 (s)"], ["reached", "Furthest state", "到达的状态"],
  ["outcome", "Outcome", "结果"], ["segments", "Segments sent", "发送的报文段"], ["again", "Sent again", "重传"],
];

/** Places in the order of their keys; equal keys keep theirs. Counting by rank is several times as
 * quick as a sort that calls back for each pair. */
function sorted(keys, down) {
  const values = keys.slice().sort();
  let kinds = 0;
  values.forEach((v, i) => {
    if (i === 0 || v !== values[kinds - 1]) values[kinds++] = v;
  });
  const ranks = new Uint32Array(keys.length);
  const begins = new Uint32Array(kinds + 1);
  for (let i = 0; i < keys.length; i++) {
    let [low, high] = [0, kinds - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] < keys[i]) low = middle + 1;
      else high = middle;
    }
    ranks[i] = down ? kinds - 1 - low : low;
    begins[ranks[i] + 1]++;
  }
  for (let r = 0; r < kinds; r++) begins[r + 1] += begins[r];
  const order = new Uint32Array(keys.length);
  for (let i = 0; i < keys.length; i++) order[begins[ranks[i]]++] = i;
  return order;
}

/** Rows of columns, sorted and filtered; its own so that it can be measured. */
class Rows {
  constructor(data) {
    this.data = data;
    this.count = data.conn.length;
    this.order = Uint32Array.from({ length: this.count }, (_, i) => i);
    this.shown = this.order;
    this.by = { column: "opened", down: false };
  }

  text(column, i) {
    const d = this.data;
    switch (column) {
      case "conn": return d.conn[i];
      case "from": return `${d.nodes[d.from[i]]}:${d.port[i]}`;
      case "to": return d.peers[d.to[i]];
      case "reached": return d.states[d.reached[i]];
      case "outcome": return d.outcomes[d.outcome[i]];
      default: return d[column][i] == null ? "" : String(d[column][i]);
    }
  }

  /** A number by which a column sorts. */
  key(column) {
    const d = this.data;
    if (column === "conn") return (i) => i;
    if (column === "from") return (i) => d.from[i] * 65536 + d.port[i];
    const values = d[column];
    return (i) => values[i] ?? -1;
  }

  sort(column, down) {
    const key = this.key(column);
    const keys = new Float64Array(this.count);
    for (let i = 0; i < this.count; i++) keys[i] = key(i);
    this.order = sorted(keys, down);
    this.by = { column, down };
  }

  filter({ outcome = "", reached = "", lasted = 0, search = "" }) {
    const d = this.data;
    const o = outcome === "" ? -1 : +outcome;
    const r = reached === "" ? -1 : +reached;
    const wanted = search.trim().toLowerCase();
    const names = (list) => new Set(list.flatMap((n, i) => (n.toLowerCase().includes(wanted) ? [i] : [])));
    const [nodes, peers] = wanted ? [names(d.nodes), names(d.peers)] : [];
    const fits = (i) => (o < 0 || d.outcome[i] === o) && (r < 0 || d.reached[i] === r) && (!lasted || d.lasted[i] >= lasted)
      && (!wanted || nodes.has(d.from[i]) || peers.has(d.to[i]) || String(d.port[i]) === wanted || d.conn[i] === wanted);
    const shown = new Uint32Array(this.count);
    let n = 0;
    for (let k = 0; k < this.count; k++) if (fits(this.order[k])) shown[n++] = this.order[k];
    this.shown = shown.subarray(0, n);
  }
}

function connectionTable() {
  const place = $("#connections");
  const data = carried("connection-rows");
  if (!place || !data) return;
  const rows = new Rows(data);
  const filters = { outcome: "", reached: "", lasted: 0, search: "" };
  let page = 0;
  const choice = (key, names, all) => {
    const made = el("select", { "data-filter": key, onchange: () => apply({ [key]: made.value }) });
    onLanguage.push(() => (made.firstChild.textContent = t(all)));
    made.append(el("option", { value: "" }, t(all)), ...names.map((n, i) => el("option", { value: i }, n)));
    made.setAttribute("aria-label", t(all));
    return made;
  };
  const field = (key, type, word) => {
    const made = el("input", { type, "data-filter": key, placeholder: t(word), "aria-label": t(word), min: "0", step: "any" });
    made.addEventListener("input", () => apply({ [key]: type === "number" ? +made.value : made.value }));
    onLanguage.push(() => { made.placeholder = t(word); made.setAttribute("aria-label", t(word)); });
    return made;
  };
  const count = el("span", { class: "small", "aria-live": "polite" });
  const move = (word, by) => {
    const made = el("button", { type: "button", "data-do": word, onclick: () => { page += by; show(); } }, t(word));
    onLanguage.push(() => (made.textContent = t(word)));
    return made;
  };
  const [earlier, later] = [move("earlier", -1), move("later", 1)];
  const heads = COLUMNS.map(([key]) => el("th", { scope: "col" }, el("button", { type: "button", "data-sort": key, onclick: () => sort(key) })));
  const body = el("tbody");
  const detail = el("p", { class: "small detail", "aria-live": "polite" });
  place.replaceChildren(
    el("div", { class: "bar" }, choice("outcome", data.outcomes, "anyOutcome"), choice("reached", data.states, "anyState"),
      field("lasted", "number", "atLeast"), field("search", "search", "search"), count, earlier, later), detail,
    el("div", { class: "wide", tabindex: "0" }, el("table", { class: "connections" }, el("thead", {}, el("tr", {}, ...heads)), body)));

  function apply(change) {
    Object.assign(filters, change);
    rows.filter(filters);
    page = 0;
    show();
  }
  function sort(column) {
    rows.sort(column, rows.by.column === column ? !rows.by.down : false);
    apply({});
  }
  function show() {
    const zh = root.lang.startsWith("zh");
    const pages = Math.max(1, Math.ceil(rows.shown.length / PAGE_ROWS));
    page = Math.max(0, Math.min(page, pages - 1));
    earlier.disabled = page === 0;
    later.disabled = page === pages - 1;
    COLUMNS.forEach(([key, en, chinese], i) => {
      const sorted = rows.by.column === key;
      heads[i].firstChild.textContent = (zh ? chinese : en) + (sorted ? (rows.by.down ? " ▼" : " ▲") : "");
      heads[i].setAttribute("aria-sort", sorted ? (rows.by.down ? "descending" : "ascending") : "none");
    });
    const visible = rows.shown.subarray(page * PAGE_ROWS, (page + 1) * PAGE_ROWS);
    body.replaceChildren(...[...visible].map((i) => {
      const conn = data.conn[i];
      const link = el("button", { type: "button", "data-conn": conn, onclick: () => open(conn) }, conn);
      return el("tr", {}, ...COLUMNS.map(([key]) => el("td", { class: key === "from" || key === "to" || key === "reached" || key === "outcome" ? null : "n" }, key === "conn" ? link : rows.text(key, i))));
    }));
    count.textContent = t("shown").replace("{}", rows.shown.length.toLocaleString("en")).replace("{}", rows.count.toLocaleString("en"));
    place.dataset.shown = rows.shown.length;
  }
  function open(conn) {
    const known = stepsOf.get(conn);
    if (!known) {
      detail.textContent = t("noDetail").replace("{}", conn);
      return;
    }
    detail.textContent = "";
    known.figure.scrollIntoView();
    known.open(0);
  }
  onLanguage.push(show);
  rows.sort("opened", false);
  apply({});
}
