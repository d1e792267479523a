// Keeps parts of a page up to date. Without it, pages show what was the case when they were asked for.
for (const part of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(part.dataset.live);
  const show = event => {
    const next = document.createElement("div");
    next.innerHTML = event.data;
    // What is the same stays: somebody may be about to click there.
    if (next.innerHTML !== part.innerHTML) part.replaceChildren(...next.childNodes);
  };
  source.addEventListener("part", show);
  source.addEventListener("last", event => { show(event); source.close(); });
}
