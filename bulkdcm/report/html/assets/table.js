// A table of which only the rows in sight are in the document: quick at 100,000 rows.
class Table {
  static height = 31;
  static spare = 12;
  static widths = { line: 4.4, status: 5.6, why: 0, source: 15, file: 3.4, patient: 7, class: 10, size: 6.6, bits: 3, syntax: 9.5, written: 5.4, seconds: 5.4 };

  constructor() {
    this.grid = document.getElementById("grid");
    this.body = this.grid.querySelector("tbody");
    this.shown = Object.keys(Table.widths).filter((name) => columns[name] && !(name === "file" && columns.source));
    this.order = Uint32Array.from({ length: data.rows }, (_, row) => row);
    this.rows = this.order;
    this.sort = { name: "line", down: false };
    this.filter = { words: [], status: "", now: false, why: null, line: null };
    this.ranks = {};
    this.head();
    this.grid.addEventListener("scroll", () => {
      this.asked ??= requestAnimationFrame(() => { this.asked = null; this.draw(); });
    }, { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.grid);
  }

  head() {
    const line = this.grid.querySelector("thead tr");
    const widths = element("colgroup");
    for (const name of this.shown) {
      const column = element("col");
      if (Table.widths[name]) column.style.width = `${Table.widths[name]}rem`; // else what is left
      widths.append(column);
      const button = element("button", { type: "button", textContent: columns[name].label, title: `Sort by ${columns[name].label}` });
      button.addEventListener("click", () => this.sortBy(name));
      const cell = element("th", { scope: "col", className: columns[name].isText ? "" : "number" }, button);
      cell.dataset.name = name;
      line.append(cell);
    }
    this.grid.querySelector("table").prepend(widths);
  }

  sortBy(name) {
    this.sort = { name, down: this.sort.name === name && !this.sort.down };
    const ranks = (this.ranks[name] ??= columns[name].ranks());
    const sign = this.sort.down ? -1 : 1;
    // What is empty stays last in both directions; equals stay in the manifest's order.
    const compare = (a, b) => {
      if (ranks[a] === ranks[b]) return a - b;
      if (ranks[a] === Infinity || ranks[b] === Infinity) return ranks[a] - ranks[b];
      return sign * (ranks[a] - ranks[b]);
    };
    this.order = Uint32Array.from({ length: data.rows }, (_, row) => row).sort(compare);
    this.select();
  }

  narrow(change) {
    Object.assign(this.filter, change);
    this.select();
  }

  select() {
    const tests = this.tests();
    this.rows = tests.length ? this.order.filter((row) => tests.every((holds) => holds(row))) : this.order;
    for (const cell of this.grid.querySelectorAll("th")) {
      if (cell.dataset.name === this.sort.name) cell.setAttribute("aria-sort", this.sort.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    const table = this.grid.querySelector("table");
    table.setAttribute("aria-rowcount", this.rows.length + 1);
    this.grid.scrollTop = 0;
    this.draw();
    const all = this.rows.length === data.rows;
    document.getElementById("found").textContent = all ? `${whole.format(data.rows)} rows` : `${whole.format(this.rows.length)} of ${whole.format(data.rows)} rows`;
    document.getElementById("clear").disabled = !tests.length;
  }

  tests() {
    const { words, status, now, why, line } = this.filter;
    const tests = [];
    const is = (name, text) => {
      const code = columns[name].texts.indexOf(text);
      tests.push((row) => columns[name].at(row) === code && code >= 0);
    };
    if (status) is("status", status);
    if (why !== null) is("why", why);
    if (now) tests.push((row) => columns.now.at(row) === 1);
    if (line !== null) tests.push((row) => columns.line.at(row) === line);
    for (const word of words) {
      const finders = Object.values(columns).map((column) => column.finder(word)).filter(Boolean);
      tests.push((row) => finders.some((finds) => finds(row)));
    }
    return tests;
  }

  draw() {
    const { height, spare } = Table;
    const first = Math.max(0, Math.floor(this.grid.scrollTop / height) - spare);
    const last = Math.min(this.rows.length, Math.ceil((this.grid.scrollTop + this.grid.clientHeight) / height) + spare);
    const lines = [this.gap(first * height)];
    for (let place = first; place < last; place++) lines.push(this.line(place));
    lines.push(this.gap((this.rows.length - last) * height));
    const held = document.activeElement?.dataset?.row;
    if (!this.rows.length) lines.splice(1, 0, element("tr", { className: "none" }, element("td", { colSpan: this.shown.length, textContent: "No row has that." })));
    this.body.replaceChildren(...lines);
    if (held !== undefined) this.body.querySelector(`[data-row="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
  }

  gap(height) {
    const line = element("tr", { className: "gap", ariaHidden: "true" }, element("td", { colSpan: this.shown.length }));
    line.firstChild.style.height = `${height}px`;
    line.hidden = height <= 0;
    return line;
  }

  line(place) {
    const row = this.rows[place];
    const line = element("tr");
    line.setAttribute("aria-rowindex", place + 2);
    for (const name of this.shown) {
      const text = columns[name].text(row);
      const cell = element("td", { className: columns[name].isText ? "" : "number" });
      if (name === "line") {
        const button = element("button", { type: "button", className: "link", textContent: text, ariaLabel: `All of line ${text}` });
        button.dataset.row = row;
        button.addEventListener("click", () => showRow(row));
        cell.append(button);
      } else {
        cell.textContent = text;
        if (text.length > 12) cell.title = text;
        if (name === "status") cell.classList.add(`is-${text}`);
      }
      line.append(cell);
    }
    return line;
  }
}
