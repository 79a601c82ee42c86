// All that the page knows of one row, in a dialog.
const dialog = document.getElementById("row");
const ORDER = ["status", "why", "stage", "error", "source", "file", "output", "patient", "study", "series", "instance", "class",
  "size", "bits", "samples", "photometric", "syntax", "decisions", "read", "written", "seconds", "attempt", "ran", "now"];

function showRow(row) {
  document.getElementById("row-title").textContent = `Line ${columns.line.text(row)}`;
  const list = dialog.querySelector("dl");
  list.replaceChildren();
  for (const name of ORDER) {
    let text = columns[name] ? columns[name].text(row) : "";
    // An output that is called as its source is told by it.
    if (name === "output" && !text && columns.source) text = columns.source.text(row).replace(/\.[^.]*$/, "") + ".dcm";
    if (text) list.append(element("dt", { textContent: columns[name].label }), element("dd", { textContent: text }));
  }
  dialog.showModal();
}
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
