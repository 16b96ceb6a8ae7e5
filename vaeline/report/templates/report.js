"use strict";
// The page is complete without this script, which sorts tables, filters variants, enlarges plots and copies text.
(() => {
  const valueOf = (cell) => (cell && "value" in cell.dataset ? Number(cell.dataset.value) : NaN);
  const compare = (one, other, sign) => {
    if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other);
    return sign * (one - other);
  };
  document.documentElement.classList.add("scripted");

  // Variants are columns: the button of a metric's row sorts them, the best first; pressed again, it reverses the order.
  for (const button of document.querySelectorAll(".results .sort")) {
    button.addEventListener("click", () => {
      const table = button.closest("table"), row = button.closest("tr");
      const again = button.getAttribute("aria-pressed") === "true" && !button.dataset.turned;
      const sign = (button.dataset.better === "higher" ? -1 : 1) * (again ? -1 : 1);
      const places = [...row.querySelectorAll("td.number")].map((cell) => [valueOf(cell), cell.cellIndex]);
      const order = places.sort((one, other) => compare(one[0], other[0], sign)).map(([, index]) => index);
      for (const each of table.rows) {
        if (each.cells.length <= order.length) continue;
        const cells = order.map((index) => each.cells[index]), end = each.cells[order.length + 1] || null;
        for (const cell of cells) each.insertBefore(cell, end);
      }
      for (const other of table.querySelectorAll(".sort")) other.setAttribute("aria-pressed", String(other === button));
      if (again) button.dataset.turned = "yes"; else delete button.dataset.turned;
    });
  }

  // Runs are rows: the head of a column sorts them.
  for (const head of document.querySelectorAll(".sortable thead th")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const body = head.closest("table").tBodies[0], index = head.cellIndex;
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      const text = (row) => (row.cells[index] ? row.cells[index].textContent.trim() : "");
      const rows = [...body.rows].filter((row) => !row.classList.contains("absent"));
      rows.sort((one, other) => {
        const values = [one, other].map((row) => valueOf(row.cells[index]));
        if (values.every(Number.isNaN)) return sign * text(one).localeCompare(text(other), "en", { numeric: true });
        return compare(values[0], values[1], sign);
      });
      body.prepend(...rows);
      for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    });
  }

  // The filter leaves the variants whose names have any of its words: as columns, as rows, and in lists and pictures.
  const filter = document.getElementById("filter");
  const namesIn = (node) => [...node.querySelectorAll(".variant")].map((each) => each.textContent.toLowerCase());
  const filterVariants = () => {
    const words = filter.value.toLowerCase().split(/[\s,]+/).filter(Boolean);
    const isShown = (names) => !words.length || names.some((name) => words.some((word) => name.includes(word)));
    const show = (node, names) => { if (names.length) node.hidden = !isShown(names); };
    for (const table of document.querySelectorAll("table")) {
      const heads = [...table.tHead.rows[0].cells].map(namesIn);
      const columns = heads.some((names) => names.length);
      for (const row of table.rows) {
        if (!columns) show(row, namesIn(row.cells[0]));
        else if (row.cells.length >= heads.length) heads.forEach((names, index) => show(row.cells[index], names));
      }
    }
    for (const item of document.querySelectorAll(".first figure, .least > div, .key li")) show(item, namesIn(item).slice(0, 1));
    for (const grid of document.querySelectorAll(".pictures")) {
      const pictures = [...grid.querySelectorAll("figure")].filter((figure) => namesIn(figure).length);
      for (const figure of pictures) show(figure, namesIn(figure));
      grid.style.setProperty("--columns", 1 + pictures.filter((figure) => !figure.hidden).length / 2);
    }
    const all = namesIn(document.querySelector(".results thead")), left = all.filter((name) => isShown([name])).length;
    document.getElementById("filtered").textContent = words.length ? `${left} of ${all.length} variants` : `${all.length} variants`;
  };
  if (filter) {
    filter.addEventListener("input", filterVariants);
    filter.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      filter.value = "";
      filterVariants();
    });
    filterVariants();  // after a reload, the browser may keep the words
  }

  for (const button of document.querySelectorAll(".copy")) {
    const text = button.parentNode.querySelector("pre"), word = button.textContent;
    button.addEventListener("click", () => {
      getSelection().selectAllChildren(text);
      button.textContent = document.execCommand("copy") ? "Copied" : "Selected: press Ctrl+C";
      setTimeout(() => { button.textContent = word; }, 2000);
    });
  }

  const dialog = document.getElementById("large");
  const enlarge = (image) => {
    const caption = image.closest("figure").querySelector("figcaption");
    dialog.querySelector("img").src = image.src;
    dialog.querySelector("img").alt = image.alt;
    dialog.querySelector("p").textContent = caption ? caption.textContent : image.alt;
    dialog.showModal();
  };
  for (const image of document.querySelectorAll("figure img")) {
    image.tabIndex = 0;
    image.setAttribute("role", "button");
    image.setAttribute("aria-label", `Enlarge: ${image.alt}`);
    image.addEventListener("click", () => enlarge(image));
    image.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      enlarge(image);
    });
  }
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
})();
