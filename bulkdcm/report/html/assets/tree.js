// Patients, studies and series with their counts; what is inside is made when it is opened.
class Tree {
  static many = 100;
  static levels = ["patient", "study", "series"];
  static nouns = { study: ["study", "studies"], series: ["series", "series"], row: ["row", "rows"] };

  constructor(place) {
    this.place = place;
    place.replaceChildren();
    const rows = Uint32Array.from({ length: data.rows }, (_, row) => row);
    this.fill(place, rows, 0);
    const first = place.querySelector("details");
    if (first) first.open = true;
  }

  // Rows by what they have at a level, in the order of their coming.
  groups(rows, level) {
    const found = new Map();
    const column = columns[Tree.levels[level]];
    for (const row of rows) {
      const key = column.at(row) ?? 0;
      if (found.has(key)) found.get(key).push(row);
      else found.set(key, [row]);
    }
    return [...found.entries()].sort(([a], [b]) => (a || Infinity) - (b || Infinity));
  }

  fill(place, rows, level) {
    if (level === Tree.levels.length) this.leaves(place, rows);
    else this.some(place, this.groups(rows, level), ([key, inside]) => this.branch(key, inside, level));
  }

  // The first of many things, and a button for more of them.
  some(place, things, make, from = 0) {
    const upTo = Math.min(from + Tree.many, things.length);
    place.append(...things.slice(from, upTo).map(make));
    if (upTo < things.length) {
      const more = element("button", { type: "button", className: "more", textContent: `Show ${Math.min(Tree.many, things.length - upTo)} more of ${whole.format(things.length - upTo)}` });
      more.addEventListener("click", () => { more.remove(); this.some(place, things, make, upTo); });
      place.append(more);
    }
  }

  branch(key, rows, level) {
    const name = Tree.levels[level];
    const label = key ? columns[name].text(rows[0]) : level ? `no ${name}: not converted` : "no patient told by the manifest";
    const details = element("details", {}, element("summary", {}, `${label} `, element("span", { className: "faint", textContent: this.told(rows, level) })));
    details.addEventListener("toggle", () => {
      if (details.open && details.children.length === 1) this.fill(details, rows, level + 1);
    });
    return details;
  }

  told(rows, level) {
    const counted = (noun, count) => `${whole.format(count)} ${Tree.nouns[noun][count === 1 ? 0 : 1]}`;
    const parts = Tree.levels.slice(level + 1).map((name) => {
      const found = new Set(rows.map((row) => columns[name].at(row) ?? 0));
      found.delete(0);
      return found.size ? counted(name, found.size) : "";
    }).filter(Boolean);
    const failed = rows.filter((row) => columns.status.text(row) === "failed").length;
    const kinds = level === 2 ? [...new Set(rows.map((row) => columns.class.text(row)))].filter(Boolean) : [];
    return [...kinds, ...parts, counted("row", rows.length), ...(failed ? [`${whole.format(failed)} failed`] : [])].join(" · ");
  }

  leaves(place, rows) {
    const list = element("ul", { className: "leaves" });
    this.some(list, rows, (row) => {
      const button = element("button", { type: "button", className: "link", textContent: `line ${columns.line.text(row)}` });
      button.addEventListener("click", () => showRow(row));
      const about = [columns.size.text(row), columns.status.text(row), columns.source?.text(row)];
      return element("li", {}, button, element("span", { className: "faint", textContent: ` ${about.filter(Boolean).join(" · ")}` }));
    });
    place.append(list);
  }
}
