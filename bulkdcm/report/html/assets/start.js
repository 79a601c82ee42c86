// Everything that waits for the columns.
(() => {
  if (data.rows) new Tree(document.getElementById("tree"));
  else document.getElementById("tree").textContent = "No rows.";
  const table = new Table();
  const search = document.getElementById("search");
  const now = document.getElementById("now");
  const statuses = [...document.getElementsByName("status")];
  let waiting = 0;

  document.querySelector(".tools").hidden = false;
  table.grid.hidden = false;
  table.select();

  search.addEventListener("input", () => {
    clearTimeout(waiting);
    // "patient 12" is one word.
    const words = search.value.toLowerCase().match(/\b(?:patient|study|series) \d+(?!\S)|\S+/g) ?? [];
    waiting = setTimeout(() => table.narrow({ words }), 60);
  });
  for (const status of statuses) status.addEventListener("change", () => table.narrow({ status: status.value }));
  now.addEventListener("change", () => table.narrow({ now: now.checked }));

  const clear = () => {
    clearTimeout(waiting);
    search.value = "";
    now.checked = false;
    statuses[0].checked = true;
    Object.assign(table.filter, { words: [], status: "", now: false, why: null, line: null });
  };
  document.getElementById("clear").addEventListener("click", () => { clear(); table.select(); search.focus(); });
  const showOnly = (change) => {
    clear();
    table.narrow(change);
    document.getElementById("rows").scrollIntoView();
    table.grid.focus({ preventScroll: true });
  };
  for (const button of document.querySelectorAll("[data-why]")) {
    button.hidden = false;
    button.addEventListener("click", () => showOnly({ why: button.dataset.why }));
  }
  for (const link of document.querySelectorAll("[data-line]")) {
    link.addEventListener("click", (event) => { event.preventDefault(); showOnly({ line: Number(link.dataset.line) }); });
  }
  // As in many pages: a slash goes to the search.
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      search.focus();
    }
  });
})();
