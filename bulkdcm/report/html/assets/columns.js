// The rows as columns: numbers as they are, texts once each and a code a row; one value alone stands for all rows.
const data = JSON.parse(document.getElementById("data").textContent);

const whole = new Intl.NumberFormat("en");
const size = (bytes) => {
  let number = bytes;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (number < 1000) return `${unit === "B" ? number : number.toFixed(1)} ${unit}`;
    number /= 1000;
  }
  return `${number.toFixed(1)} TB`;
};
const LABELS = {
  line: "line", status: "status", why: "why it failed", stage: "stage", error: "error", patient: "patient", study: "study",
  series: "series", class: "SOP class", width: "columns", height: "rows", bits: "bits", samples: "samples",
  photometric: "photometric interpretation", syntax: "transfer syntax", decisions: "pixels", file: "file", source: "source",
  output: "output file", instance: "SOP Instance UID", read: "source size", written: "output", seconds: "seconds", size: "size",
  attempt: "attempts", ran: "why it ran last", now: "in this run",
};
const TOLD = {
  read: size, written: size, patient: (n) => `patient ${whole.format(n)}`, study: (n) => `study ${whole.format(n)}`,
  series: (n) => `series ${whole.format(n)}`, seconds: (n) => n.toFixed(3), now: (n) => (n ? "yes" : "no"), line: whole.format,
};

class Column {
  constructor(name, { texts, codes, numbers, names }) {
    Object.assign(this, { name, texts, names, label: LABELS[name] || name, isText: Boolean(texts) });
    const found = texts ? codes : numbers;
    this.at = Array.isArray(found) ? (row) => found[row] : () => found;
    this.same = !Array.isArray(found);
    this.told = TOLD[name] || String;
  }

  // What a cell shows; empty for none.
  text(row) {
    const value = this.at(row);
    if (this.isText) return value < 0 ? "" : this.texts[value];
    if (value === null || value === undefined) return "";
    return (this.names && this.names[value - 1]) || this.told(value);
  }

  // A number for each row that sorts as the cells do; what is empty comes last.
  ranks() {
    const ranks = new Float64Array(data.rows);
    if (this.isText) {
      const order = this.texts.map((_, code) => code).sort((a, b) => (this.texts[a] < this.texts[b] ? -1 : 1));
      const place = new Float64Array(this.texts.length);
      order.forEach((code, rank) => { place[code] = rank; });
      for (let row = 0; row < data.rows; row++) ranks[row] = this.at(row) < 0 ? Infinity : place[this.at(row)];
    } else {
      for (let row = 0; row < data.rows; row++) ranks[row] = this.at(row) ?? Infinity;
    }
    return ranks;
  }

  // For a word, a function of a row: whether its cell holds it. A text that many rows share is looked at once.
  finder(word) {
    if (this.isText) {
      this.lower ??= this.texts.map((text) => text.toLowerCase());
      const holds = this.lower.map((text) => text.includes(word));
      return holds.includes(true) ? (row) => holds[this.at(row)] === true : null;
    }
    if (this.name === "now" || (this.same && !this.text(0).toLowerCase().includes(word))) return null;
    if (this.name in { patient: 0, study: 0, series: 0 }) {
      const number = word.startsWith(`${this.name} `) ? Number(word.slice(this.name.length + 1)) : 0;
      if (number) return (row) => this.at(row) === number;
      if (!this.names) return null;
      this.lower ??= this.names.map((text) => text.toLowerCase());
      const holds = this.lower.map((text) => text.includes(word));
      return holds.includes(true) ? (row) => holds[this.at(row) - 1] === true : null;
    }
    if (!/^[\d.,]+$/.test(word)) return null;
    const plain = word.replaceAll(",", "");
    return (row) => String(this.at(row)) === plain;
  }
}

const columns = Object.fromEntries(Object.entries(data.columns).map(([name, found]) => [name, new Column(name, found)]));
// Columns by rows in one, sorted by their product.
columns.size = Object.assign(new Column("size", { numbers: null }), {
  text: (row) => (columns.width.at(row) ? `${columns.width.text(row)} × ${columns.height.text(row)}` : ""),
  at: (row) => (columns.width.at(row) ? columns.width.at(row) * columns.height.at(row) : null),
  finder: () => null,
});
const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};
