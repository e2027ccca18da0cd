// The page where a claim is decided: papers one at a time, larger, smaller, turned; keys for what is done a hundred times a day.
// Without this script the papers stand one below the other and open by themselves; everything else works as it is.
(() => {
  "use strict";
  const viewer = document.querySelector("[data-viewer]");
  const figures = viewer ? [...viewer.querySelectorAll("figure")] : [];
  const looks = figures.map(() => ({ zoom: 1, turn: 0 }));
  let current = 0;
  let single = figures.length > 0;

  function draw(place) {
    const image = figures[place].querySelector("img");
    if (!image) return;
    const { zoom, turn } = looks[place];
    const frame = image.parentElement;
    const wide = frame.clientWidth || viewer.clientWidth;
    const sideways = turn % 180 !== 0;
    const ratio = image.naturalWidth ? image.naturalHeight / image.naturalWidth : 1;
    const width = (sideways ? wide / ratio : wide) * zoom;
    image.style.maxWidth = "none";
    image.style.width = `${Math.min(width, image.naturalWidth * 3 || width)}px`;
    const high = image.offsetHeight, across = image.offsetWidth;
    image.style.transform = turn ? `rotate(${turn}deg)` : "";
    // A turned picture keeps the room it had: move it into the room it takes now.
    image.style.margin = sideways ? `${(across - high) / 2}px ${(high - across) / 2}px` : "";
  }

  function show() {
    figures.forEach((figure, place) => { figure.hidden = single && place !== current; });
    viewer.classList.toggle("single", single);
    viewer.querySelector("[data-place]").textContent = single ? `${current + 1} / ${figures.length}` : String(figures.length);
    if (single) draw(current);
  }

  const acts = {
    next: () => { single = true; current = Math.min(current + 1, figures.length - 1); show(); },
    previous: () => { single = true; current = Math.max(current - 1, 0); show(); },
    larger: () => { looks[current].zoom = Math.min(looks[current].zoom * 1.4, 8); draw(current); },
    smaller: () => { looks[current].zoom = Math.max(looks[current].zoom / 1.4, 0.5); draw(current); },
    turn: () => { looks[current].turn = (looks[current].turn + 90) % 360; draw(current); },
    all: () => { single = !single; show(); },
  };

  if (figures.length) {
    const tools = viewer.querySelector(".tools");
    tools.hidden = false;
    tools.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) acts[button.dataset.do]();
    });
    figures.forEach((figure, place) => {
      const image = figure.querySelector("img");
      if (!image) return;
      image.loading = "eager";
      image.addEventListener("load", () => { if (place === current && single) draw(place); });
    });
    show();
  }

  document.querySelectorAll("[data-fill]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const field = document.getElementById(button.dataset.fill);
      const words = button.parentElement.querySelector("[data-text]").textContent;
      field.value = field.value ? `${field.value}\n${words}` : words;
      field.focus();
    });
  });

  const sheet = document.getElementById("keys");
  const hint = document.querySelector(".keys-hint");
  if (hint) hint.hidden = false;

  function goTo(selector) {
    const place = document.querySelector(selector);
    if (!place) return;
    place.scrollIntoView({ block: "center" });
    place.focus({ preventScroll: true });
  }

  const keys = {
    j: acts.next, k: acts.previous, "+": acts.larger, "=": acts.larger, "-": acts.smaller, r: acts.turn,
    f: () => goTo("#flags"),
    b: () => goTo("#note_text"),
    d: () => goTo("#decide"),
    g: () => goTo('[data-key="g"]'),
    n: () => { const next = document.querySelector('[data-key="n"]'); if (next) next.form.requestSubmit(next); },
    "?": () => { if (sheet.open) sheet.close(); else sheet.showModal(); },
  };
  const ofPapers = new Set(["j", "k", "+", "=", "-", "r"]);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && event.key === "n") return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const act = keys[event.key];
    if (!act || (sheet.open && event.key !== "?") || (ofPapers.has(event.key) && !figures.length)) return;
    event.preventDefault();
    act();
  });
})();
