// Ladders that can be stepped through: one segment at a time with its header, the states of both
// ends, what is under way and why; full screen for a lecture, and as a quiz.
const flagsOf = (s) => s.flags.split(",");
const taken = (s) => s.len + flagsOf(s).filter((f) => f === "SYN" || f === "FIN").length;
const after = (a, b) => ((a - b) >>> 0) < 0x80000000;
const say = (seconds) => {
  const size = Math.abs(seconds);
  const [scale, unit] = size === 0 || size >= 1 ? [1, "s"] : size >= 1e-3 ? [1e3, "ms"] : [1e6, "us"];
  return `${+(seconds * scale).toPrecision(4)} ${unit}`;
};

/** The state of each end after step `i`, and the one before it. */
function statesAt(data, i) {
  const s = data.segments[i];
  const until = i < 0 ? -Infinity : i >= data.segments.length ? Infinity : Math.max(s.sent, s.got ?? s.sent);
  return data.lanes.map((_, lane) => {
    const own = data.changes.filter((c) => c.lane === lane);
    let now = own[0]?.from ?? "CLOSED";
    let before = null;
    const limit = s && lane === s.from ? s.sent : until;
    for (const c of own) {
      if (c.time > limit) break;
      [before, now] = [now, c.to];
    }
    // Several changes at one instant: the segment says which of them it stands for.
    const noted = s && (lane === s.from ? s.atSender : lane === s.to && s.got != null ? s.atReceiver : null);
    if (noted && noted !== now) [before, now] = [before === noted ? null : before, noted];
    const ended = own.length > 0 && now === "CLOSED" && own.some((c) => c.to !== "CLOSED" && c.time <= limit);
    return { now, before, ended };
  });
}

/** What is under way when segment `i` has just been sent. */
function situation(data, i) {
  const last = data.segments.length - 1;
  const time = i < 0 ? -Infinity : i > last ? Infinity : data.segments[i].sent;
  const sent = data.segments.slice(0, Math.min(i, last) + 1);
  const flying = sent.filter((s) => s.got != null && s.got > time);
  const states = statesAt(data, i);
  const ends = data.lanes.map((name, lane) => {
    let [next, base, got, window, scale] = [null, null, null, null, 0];
    for (const s of sent) {
      const end = (s.seq + taken(s)) >>> 0;
      if (s.from === lane) {
        base ??= s.seq;
        if (next === null || after(end, next)) next = end;
        if (flagsOf(s).includes("SYN")) scale = +(/wscale (\d+)/.exec(s.options)?.[1] ?? 0);
        window = s.window * (flagsOf(s).includes("SYN") ? 1 : 2 ** scale);
      } else if (s.to === lane && s.got != null && s.got <= time && flagsOf(s).includes("ACK")) {
        if (got === null || after(s.ack, got)) got = s.ack;
      }
    }
    const open = next === null ? 0 : got !== null && after(got, base) ? (next - got) >>> 0 : (next - base) >>> 0;
    const timers = [];
    if (open > 0 && states[lane].now !== "CLOSED") timers.push(t("rto"));
    if (states[lane].now === "TIME-WAIT") timers.push(t("tw"));
    return { name, open, window, timers };
  });
  return { flying, ends };
}

/** The panel below a ladder. */
function stepper(figure, data) {
  const panel = el("section", { class: "stepper", tabindex: "-1", "aria-label": t("step") });
  const state = { at: -1, quiz: false, hidden: false };
  const machines = data.lanes.slice(0, 2).map((name) => ({ name, ...machine(name) }));
  const text = el("p", { class: "story", "aria-live": "polite" });
  const place = el("p", { class: "place" });
  const head = el("div", { class: "head" });
  const around = el("div", { class: "around" });
  const drawn = el("div", { class: "machines" }, ...machines.map((m) => el("div", {}, el("h4", {}, m.name), m.svg)));
  const last = data.segments.length - 1;
  const extra = data.story.length > data.segments.length ? 1 : 0;
  const go = (to) => {
    const next = Math.max(-1, Math.min(last + extra, to));
    state.hidden = state.quiz && next === state.at + 1 && next <= last;
    state.at = next;
    show();
  };
  const buttons = {};
  const button = (word, action) => {
    buttons[word] = el("button", { type: "button", onclick: action, "data-do": word });
    return buttons[word];
  };
  const bar = el("div", { class: "bar" },
    button("first", () => go(-1)), button("back", () => go(state.at - 1)), button("next", () => (state.hidden ? reveal() : go(state.at + 1))),
    button("last", () => go(last + extra)), button("present", present), button("quiz", () => { state.quiz = !state.quiz; show(); }),
    button("close", () => close()));
  const keysHint = el("p", { class: "small" });
  const ask = el("div", { class: "ask", hidden: true }, el("p"), el("button", { type: "button", "data-do": "reveal", onclick: () => reveal() }));
  panel.append(bar, place, ask, el("div", { class: "answer" }, text, el("div", { class: "two" }, head, el("div", {}, drawn, around))), keysHint);

  function reveal() {
    state.hidden = false;
    show();
  }
  function present() {
    if (document.fullscreenElement) document.exitFullscreen();
    else figure.requestFullscreen?.().catch(() => figure.classList.toggle("presenting"));
  }
  function close() {
    if (document.fullscreenElement) document.exitFullscreen();
    figure.classList.remove("stepping", "presenting");
    $$("g.seg", figure).forEach((g) => g.classList.remove("now", "later"));
    opener.setAttribute("aria-pressed", false);
    opener.focus();
  }
  function mark() {
    const s = data.segments[state.at];
    for (const g of $$("g.seg", figure)) {
      const i = +g.dataset.i;
      const visible = state.hidden ? state.at - 1 : state.at;
      g.classList.toggle("now", i === state.at && !state.hidden);
      g.classList.toggle("linked", !state.hidden && s?.of === i);
      g.classList.toggle("later", i > visible);
    }
    const now = $("g.seg.now", figure);
    const frame = now?.closest(".frame");
    if (!frame) return;
    const [a, b] = [now.getBoundingClientRect(), frame.getBoundingClientRect()];
    if (a.top < b.top || a.bottom > b.bottom) frame.scrollTop += a.top - b.top - frame.clientHeight / 2;
  }
  function show() {
    const zh = root.lang.startsWith("zh");
    for (const [word, made] of Object.entries(buttons)) made.textContent = t(word);
    buttons.quiz.setAttribute("aria-pressed", state.quiz);
    keysHint.textContent = t("stepKeys");
    const i = state.at;
    const s = data.segments[i];
    place.textContent = i < 0 ? t("start") : s
      ? `${t("of").replace("{}", i + 1).replace("{}", last + 1)} · ${data.lanes[s.from]} → ${data.lanes[s.to]} · t = ${say(s.sent - data.start)}${s.got != null ? " → " + say(s.got - data.start) : ""}`
      : say(data.end - data.start);
    panel.classList.toggle("hiding", state.hidden);
    ask.hidden = !state.hidden;
    ask.firstChild.textContent = t("ask");
    ask.lastChild.textContent = t("reveal");
    const steps = s ? [data.story[i]] : i < 0 ? [] : data.story.slice(data.segments.length);
    text.replaceChildren(...steps.flatMap((step) => [step[zh ? "zh" : "en"] + " ", el("span", { class: "source" }, step.source)]));
    head.replaceChildren(...(s ? [el("h4", {}, t("header")), header(s, s.letters)] : []));
    const states = statesAt(data, i);
    machines.forEach((m, lane) => m.light(states[lane].now, states[lane].before, states[lane].ended));
    const { flying, ends } = situation(data, i);
    const row = (word, values) => el("tr", {}, el("th", { scope: "row" }, t(word)), ...values.map((v) => el("td", {}, v)));
    around.replaceChildren(el("h4", {}, t("situation")), el("div", { class: "wide" }, el("table", {},
      el("tr", {}, el("td"), ...ends.map((e) => el("th", { scope: "col" }, e.name))),
      row("inFlight", ends.map((_, lane) => flying.filter((f) => f.from === lane).map((f) => f.flags + (f.len ? ` ${f.len}` : "")).join("; ") || t("nothing"))),
      row("unacked", ends.map((e) => octets(e.open))),
      row("offered", ends.map((e) => (e.window == null ? "–" : octets(e.window)))),
      row("timers", ends.map((e) => e.timers.join(", ") || t("nothing"))))), el("p", { class: "small" }, t("inferred")));
    mark();
    figure.dataset.step = i;
  }
  panel.addEventListener("keydown", (e) => {
    const does = {
      ArrowRight: () => (state.hidden ? reveal() : go(state.at + 1)), " ": () => (state.hidden ? reveal() : go(state.at + 1)),
      ArrowLeft: () => go(state.at - 1), Home: () => go(-1), End: () => go(last + extra), Escape: close,
      f: present, q: () => { state.quiz = !state.quiz; show(); },
    }[e.key];
    if (!does || (e.key === " " && e.target.tagName === "BUTTON")) return;
    e.preventDefault();
    does();
  });
  const open = (at) => {
    figure.classList.add("stepping");
    opener.setAttribute("aria-pressed", true);
    state.at = at;
    state.hidden = false;
    show();
    panel.focus({ preventScroll: true });
  };
  const opener = el("button", { type: "button", class: "step", "aria-pressed": false, onclick: () => (figure.classList.contains("stepping") ? close() : open(0)) }, t("step"));
  onLanguage.push(() => { opener.textContent = t("step"); if (figure.classList.contains("stepping")) show(); });
  $(".bar", figure).prepend(opener);
  $(".bar", figure).after(panel);
  $$("g.seg", figure).forEach((g) => g.addEventListener("click", () => open(+g.dataset.i)));
  return { open };
}

/** What happens, as text under the ladder: for readers, and for those who do not see the picture. */
function storyList(figure, data) {
  const list = el("ol", { class: "story-list" });
  const fill = () => list.replaceChildren(...data.story.map((step, i) => {
    const s = data.segments[i];
    const who = s ? `${data.lanes[s.from]} → ${data.lanes[s.to]}: ${s.label}. ` : "";
    return el("li", {}, el("b", {}, who), step[root.lang.startsWith("zh") ? "zh" : "en"] + " ", el("span", { class: "source" }, step.source));
  }));
  const summary = el("summary", {}, t("why"));
  const box = el("details", { class: "tale", open: data.story.length <= 40 }, summary, list);
  onLanguage.push(() => { summary.textContent = t("why"); fill(); });
  fill();
  $("figcaption", figure).append(box);
}

function unfolding(figure) {
  const whole = $(".frame.whole", figure);
  if (!whole) return;
  const flip = () => {
    const shown = figure.classList.toggle("unfolded");
    button.setAttribute("aria-pressed", shown);
    button.textContent = t(shown ? "fold" : "unfold");
  };
  const button = el("button", { type: "button", class: "unfold", "aria-pressed": false, onclick: flip }, t("unfold"));
  onLanguage.push(() => (button.textContent = t(figure.classList.contains("unfolded") ? "fold" : "unfold")));
  $(".bar", figure).prepend(button);
}

const stepsOf = new Map();

/** What-ifs: one variant at a time is shown. */
function choices() {
  const all = $$("section.choice");
  if (all.length < 2) return;
  const show = (chosen) => all.forEach((section, i) => {
    section.hidden = section !== chosen;
    buttons[i].setAttribute("aria-pressed", section === chosen);
  });
  const name = (section) => (root.lang.startsWith("zh") && section.dataset.zh) || section.dataset.name;
  const buttons = all.map((section) => el("button", { type: "button", onclick: () => show(section) }, name(section)));
  onLanguage.push(() => buttons.forEach((button, i) => (button.textContent = name(all[i]))));
  all[0].before(el("div", { class: "choices", role: "group" }, ...buttons));
  show(all[0]);
}

function ladders() {
  for (const figure of $$("figure")) {
    const script = $("script.steps", figure);
    if (!script) continue;
    const data = JSON.parse(script.textContent);
    if (!data.segments.length) continue;
    unfolding(figure);
    const steps = stepper(figure, data);
    storyList(figure, data);
    stepsOf.set(data.conn, { figure, ...steps });
  }
  choices();
}
