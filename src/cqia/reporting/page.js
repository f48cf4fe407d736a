"use strict";
(() => {
  const root = document.documentElement;
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  const say = (value) => {
    if (Array.isArray(value)) return value.map(say);
    if (value === null || typeof value !== "object") return value;
    const names = Object.keys(value);
    if (names.length === 2 && "zh" in value && "en" in value) return value[root.dataset.lang];
    return Object.fromEntries(names.map((name) => [name, say(value[name])]));
  };

  const draw = (place) => {
    const one = say(figures[place.dataset.figure]);
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { gridcolor: colour("--line"), zerolinecolor: colour("--dim"),
      linecolor: colour("--line"), automargin: true };
    const layout = { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour("--ink"), size: 12, family: getComputedStyle(document.body).fontFamily },
      margin: { l: 10, r: 10, t: 24, b: 40 }, hoverlabel: { align: "left" }, ...one.layout };
    for (const name of Object.keys(layout))
      if (/^[xy]axis\d*$/.test(name)) layout[name] = { ...axis, ...layout[name] };
    place.style.height = (one.layout.height || 420) + "px";
    window.Plotly.react(place, one.data, layout,
      { responsive: true, displaylogo: false, displayModeBar: false });
    place.dataset.drawn = "yes";
  };

  const charts = () => [...document.querySelectorAll(".chart")];
  const visible = (place) => !place.closest("details:not([open])");
  const undrawn = () => charts().filter((one) => visible(one) && one.dataset.drawn !== "yes");
  const drawAll = () => { if (window.Plotly) undrawn().forEach(draw); };
  const distance = (place) => {
    const { top, bottom } = place.getBoundingClientRect();
    return Math.max(0, top - window.innerHeight, -bottom);
  };
  let waiting = 0;
  const queue = () => {
    clearTimeout(waiting);
    const left = window.Plotly ? undrawn() : [];
    root.dataset.ready = left.length ? "no" : "yes";
    if (!left.length) return;
    draw(left.reduce((a, b) => (distance(b) < distance(a) ? b : a)));
    waiting = setTimeout(queue, 0);
  };
  const again = () => {
    charts().forEach((one) => { delete one.dataset.drawn; });
    root.dataset.ready = "no";
    waiting = setTimeout(queue, 0);
  };

  const language = (name) => {
    root.dataset.lang = name;
    root.lang = name === "zh" ? "zh-CN" : "en";
    document.title = root.dataset[name === "zh" ? "titleZh" : "titleEn"];
    again();
  };
  const theme = (name) => { root.dataset.theme = name; again(); };

  document.getElementById("language").addEventListener("click", () =>
    language(root.dataset.lang === "zh" ? "en" : "zh"));
  document.getElementById("theme").addEventListener("click", () =>
    theme(root.dataset.theme === "dark" ? "light" : "dark"));
  dark.addEventListener("change", () => theme(dark.matches ? "dark" : "light"));
  document.querySelectorAll("details").forEach((one) => one.addEventListener("toggle", queue));
  const reveal = () => {
    const name = decodeURIComponent(location.hash.slice(1));
    const target = name && document.getElementById(name);
    for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
    if (target) target.scrollIntoView({ block: "center" });
  };
  window.addEventListener("hashchange", reveal);
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((one) => { one.open = true; });
    root.dataset.theme = "light";
    charts().forEach((one) => { delete one.dataset.drawn; });
    drawAll();
  });
  window.addEventListener("afterprint", () => theme(dark.matches ? "dark" : "light"));

  root.dataset.theme = dark.matches ? "dark" : "light";
  if (location.hash === "#en") language("en");
  queue();
  reveal();
})();
