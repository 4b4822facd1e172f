// The state machine of RFC 9293, figure 5, and the header of its figure 1.
const STATES = {
  CLOSED: [170, 18], LISTEN: [92, 62], "SYN-RECEIVED": [62, 112], "SYN-SENT": [278, 88], ESTABLISHED: [170, 150],
  "FIN-WAIT-1": [62, 200], "CLOSE-WAIT": [278, 200], "FIN-WAIT-2": [62, 252], CLOSING: [170, 236],
  "LAST-ACK": [278, 252], "TIME-WAIT": [128, 298],
};
const EDGES = [
  ["CLOSED", "LISTEN"], ["CLOSED", "SYN-SENT"], ["LISTEN", "SYN-RECEIVED"], ["SYN-SENT", "SYN-RECEIVED"],
  ["SYN-SENT", "ESTABLISHED"], ["SYN-RECEIVED", "ESTABLISHED"], ["SYN-RECEIVED", "FIN-WAIT-1"],
  ["ESTABLISHED", "FIN-WAIT-1"], ["ESTABLISHED", "CLOSE-WAIT"], ["FIN-WAIT-1", "FIN-WAIT-2"],
  ["FIN-WAIT-1", "CLOSING"], ["FIN-WAIT-2", "TIME-WAIT"], ["CLOSING", "TIME-WAIT"], ["CLOSE-WAIT", "LAST-ACK"],
];
const HALF = { w: 54, h: 12 };

function svgEl(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** From the edge of one box to the edge of another. */
function between([ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const reach = (d) => Math.min(Math.abs(HALF.w / (d[0] || 1e-9)), Math.abs(HALF.h / (d[1] || 1e-9)));
  const k = reach([dx, dy]);
  return [ax + dx * k, ay + dy * k, bx - dx * k, by - dy * k];
}

let markers = 0;

/** The machine of one end; `light(state, before)` lights its state. */
function machine(name) {
  const id = "tip" + markers++;
  const svg = svgEl("svg", { viewBox: "0 0 340 344", class: "machine", role: "img" });
  const title = svgEl("title");
  svg.append(title, svgEl("defs", {}, svgEl("marker", { id, viewBox: "0 0 6 6", refX: 6, refY: 3, markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto" },
    svgEl("path", { d: "M0 0L6 3L0 6z", class: "tip" }))));
  const edges = EDGES.map(([a, b]) => {
    const [x1, y1, x2, y2] = between(STATES[a], STATES[b]);
    const line = svgEl("line", { x1, y1, x2, y2, "marker-end": `url(#${id})` });
    svg.append(line);
    return { a, b, line };
  });
  const ends = [["TIME-WAIT", 128 + 54, 298, 224, 326], ["LAST-ACK", 278, 264, 278, 314]].map(([a, x1, y1, x2, y2]) => {
    const line = svgEl("line", { x1, y1, x2, y2, "marker-end": `url(#${id})` });
    svg.append(line);
    return { a, b: "CLOSED", line };
  });
  const box = (state, [x, y]) => {
    const g = svgEl("g", { class: "state" },
      svgEl("rect", { x: x - HALF.w, y: y - HALF.h, width: 2 * HALF.w, height: 2 * HALF.h, rx: 4 }),
      svgEl("text", { x, y: y + 4, "text-anchor": "middle" }, state));
    svg.append(g);
    return g;
  };
  const boxes = Object.fromEntries(Object.entries(STATES).map(([s, at]) => [s, box(s, at)]));
  const ended = box("CLOSED", [278, 326]);
  const light = (state, before, over) => {
    Object.values(boxes).concat(ended).forEach((b) => b.classList.remove("now", "before"));
    const at = (s, last) => (s === "CLOSED" && last ? ended : boxes[s]);
    if (before && before !== state) at(before, false)?.classList.add("before");
    at(state, over)?.classList.add("now");
    edges.concat(ends).forEach(({ a, b, line }) => line.classList.toggle("now", a === before && b === state));
    title.textContent = `${name}: ${state}`;
    svg.dataset.state = state;
  };
  return { svg, light };
}

const octets = (n) => t(n === 1 ? "oneByte" : "bytes").replace("{}", n);

const FLAGS = ["CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN", "FIN"];

/** Octets of the options, padded to words of 32 bits. */
function optionOctets(options) {
  const one = (o) => {
    const [word, ...rest] = o.trim().split(" ");
    if (word === "nop" || word === "eol") return 1;
    if (word === "mss") return 4;
    if (word === "wscale") return 3;
    if (word === "sackOK") return 2;
    if (word === "TS") return 10;
    if (word === "sack") return 2 + 8 * rest.length;
    if (word === "unknown") return 2 + Math.max(0, (rest.at(-1).length - 2) / 2);
    return 0;
  };
  const all = options ? options.split(",").reduce((sum, o) => sum + one(o), 0) : 0;
  return 4 * Math.ceil(all / 4);
}

/** The header of a segment as in RFC 9293, figure 1: 32 bits a row. */
function header(s, labels) {
  const flags = new Set(s.flags.split(","));
  const octets = 20 + optionOctets(s.options);
  const cell = (span, word, value, cls = "") =>
    el("div", { class: "field " + cls, style: `grid-column:span ${span}`, "data-field": word },
      el("span", { class: "name" }, t(word)), el("span", { class: "value" }, value));
  const ruler = [...Array(32).keys()].map((i) => el("div", { class: "bit", "aria-hidden": "true" }, i % 8 === 0 || i === 31 ? String(i) : "·"));
  const bits = FLAGS.map((f) =>
    el("div", { class: "flag" + (flags.has(f) ? " on" : ""), "data-flag": f, title: `${f} = ${flags.has(f) ? 1 : 0}` }, f, el("b", {}, flags.has(f) ? "1" : "0")));
  const grid = el("div", { class: "rfc", role: "group", "aria-label": t("header") }, ...ruler,
    cell(16, "srcPort", String(s.sp)), cell(16, "dstPort", String(s.dp)),
    cell(32, "seq", `${s.seq}${labels.seq ? "  =  " + labels.seq : ""}`),
    cell(32, "ack", flags.has("ACK") ? `${s.ack}${labels.ack ? "  =  " + labels.ack : ""}` : `${s.ack} (${t("meaningless")})`, flags.has("ACK") ? "" : "dim"),
    cell(4, "offset", String(octets / 4)), cell(4, "reserved", flags.has("AE") ? "AE" : "0"), ...bits, cell(16, "window", String(s.window)),
    cell(16, "checksum", t("notModelled"), "dim"), cell(16, "urgent", flags.has("URG") ? "" : t("noUrg"), "dim"),
    cell(32, "options", s.options || t("none"), s.options ? "" : "dim"),
    cell(32, "data", s.len > 0 ? octets(s.len) : t("none"), s.len > 0 ? "" : "dim"));
  return el("div", { class: "wide", tabindex: "0" }, grid);
}
