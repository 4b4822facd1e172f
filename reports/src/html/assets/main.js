// Begins when all of the above is defined.
themeTools();
$$("figure").forEach(figureTools);
if (typeof uPlot !== "undefined") $$("figure").filter((f) => $("script.plot", f)).forEach(reactive);
if (typeof ladders === "function") ladders();
if (typeof connectionTable === "function") connectionTable();
// report.html#zh opens in Chinese, as does a browser that prefers it.
if (location.hash === "#zh" || (location.hash !== "#en" && navigator.language?.startsWith("zh"))) setLanguage("zh");
root.dataset.ready = "yes";
