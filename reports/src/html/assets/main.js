// Begins when all of the above is defined.
themeTools();
// A run of a batch lies in runs/ID below the page of the batch. The page itself is the same wherever it is.
if (/\/runs\/[0-9a-f]{12}\/report\.html$/.test(location.pathname)) {
  const up = el("a", { href: "../../report.html", id: "to-batch" }, t("allRuns"));
  onLanguage.push(() => (up.textContent = t("allRuns")));
  $(".links")?.prepend(up, " · ");
}
$$("figure").forEach(figureTools);
if (typeof uPlot !== "undefined") $$("figure").filter((f) => $("script.plot", f)).forEach(reactive);
if (typeof ladders === "function") ladders();
if (typeof connectionTable === "function") connectionTable();
// report.html#zh opens in Chinese, as does a browser that prefers it.
if (location.hash === "#zh" || (location.hash !== "#en" && navigator.language?.startsWith("zh"))) setLanguage("zh");
else if (location.hash === "#en" && root.lang !== "en") setLanguage("en");
root.dataset.ready = "yes";
