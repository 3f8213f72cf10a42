// The entries of the plan, embedded as JSON -> a table to search, filter, sort and expand.
// Texts may be hostile: they enter the document only as text nodes.
"use strict";
(() => {
  const CHUNK = 200;
  const NONE = "\u2014";
  const { entries, severities, colours: pairs, meanings, drift } = JSON.parse(document.getElementById("data").textContent);
  const symbols = new Map(Object.entries(meanings).map(([symbol, meaning]) => [meaning, symbol]));
  const colours = new Map(pairs);
  const actions = [...symbols.keys()];
  const kind = (action) => drift[action] || action;
  const collator = new Intl.Collator("en", { numeric: true });

  const byId = (id) => document.getElementById(id);
  const body = byId("rows");
  const search = byId("search");
  const more = byId("more");
  const form = document.querySelector("form.filters");
  const selects = [...form.querySelectorAll("select")];
  const headings = [...document.querySelectorAll("th[data-sort]")];

  const opened = new Set();
  let matching = entries.map((_, index) => index);
  let shown = 0;
  let sorting = { by: "", direction: 1 };
  let haystacks = null;

  function make(tag, className, ...children) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  }

  // -- the facts of an entry ---------------------------------------------------------------------------

  const facts = {
    action: (entry) => entry.actions[0],
    severity: (entry) => entry.severity,
    type: (entry) => entry.type,
    file: (entry) => entry.file,
    private: (entry) => (entry.private ? "private" : "public"),
  };

  const rank = (severity) => severities.indexOf(severity);

  const orders = {
    action: (a, b) => actions.indexOf(kind(a.actions[0])) - actions.indexOf(kind(b.actions[0])),
    incident: (a, b) => collator.compare(a.key, b.key),
    severity: (a, b) => rank(a.severity) - rank(b.severity) || collator.compare(a.severity, b.severity),
    type: (a, b) => collator.compare(a.type, b.type),
    began: (a, b) => (a.began < b.began ? -1 : Number(a.began > b.began)),
    source: (a, b) => collator.compare(a.file, b.file) || a.line - b.line,
  };

  function haystack(entry) {
    const values = entry.rows.flatMap(([, label, before, after, , lines]) => [
      label, before || "", after, ...lines.map(([, ...pieces]) => pieces.join("")),
    ]);
    const own = [entry.key, entry.name, entry.reference, entry.place, entry.severity, entry.type];
    return [...own, entry.explanation, ...values].join("\n").toLowerCase();
  }

  // -- filters -----------------------------------------------------------------------------------------

  function fillFilters() {
    for (const select of selects) {
      const fact = facts[select.dataset.filter];
      const counts = new Map();
      for (const entry of entries) counts.set(fact(entry), (counts.get(fact(entry)) || 0) + 1);
      const values = [...counts.keys()].sort((a, b) => rank(b) - rank(a) || collator.compare(a, b));
      select.append(new Option("all", "all"));
      values.forEach((value, index) => {
        const option = new Option(`${value || NONE} (${counts.get(value)})`, String(index));
        option.dataset.value = value;
        select.append(option);
      });
      select.disabled = values.length < 2;
    }
  }

  function chosen() {
    return selects
      .filter((select) => select.value !== "all")
      .map((select) => [facts[select.dataset.filter], select.selectedOptions[0].dataset.value]);
  }

  function select() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = chosen();
    if (words.length && !haystacks) haystacks = entries.map(haystack);
    matching = [];
    entries.forEach((entry, index) => {
      const fits = wanted.every(([fact, value]) => fact(entry) === value);
      if (fits && words.every((word) => haystacks[index].includes(word))) matching.push(index);
    });
    sort();
  }

  function sort() {
    const compare = orders[sorting.by];
    matching.sort((a, b) => (compare ? sorting.direction * compare(entries[a], entries[b]) : 0) || a - b);
    render();
  }

  // -- the table ---------------------------------------------------------------------------------------

  function render() {
    body.replaceChildren();
    shown = 0;
    extend(CHUNK);
    if (!matching.length) body.append(nothing());
    const all = entries.length;
    const some = matching.length === all ? `${all}` : `${matching.length} of ${all}`;
    byId("found").textContent = `${some} ${all === 1 ? "change" : "changes"}`;
  }

  function nothing() {
    const words = entries.length ? "No change matches the search and the filters." : "This plan has no changes.";
    const held = make("td", "nothing", words);
    held.colSpan = headings.length;
    return make("tr", "", held);
  }

  function extend(number) {
    const next = matching.slice(shown, shown + number);
    body.append(...next.flatMap((index) => (opened.has(index) ? [row(index), detail(index)] : [row(index)])));
    shown += next.length;
    const left = matching.length - shown;
    more.hidden = !left;
    more.textContent = `Show ${Math.min(left, CHUNK)} more of ${left}`;
  }

  function row(index) {
    const entry = entries[index];
    const button = make("button", "key", entry.key);
    button.type = "button";
    button.id = `row-${index}`;
    button.setAttribute("aria-expanded", String(opened.has(index)));
    if (opened.has(index)) button.setAttribute("aria-controls", `detail-${index}`);
    const incident = [make("span", "head", button, reference(entry)), make("span", "name", named(entry))];
    const line = make(
      "tr", "change",
      cell("action", ...entry.actions.map(badge)),
      cell("incident", ...incident),
      cell("severity", ...severity(entry.severity)),
      cell("type", entry.type || NONE),
      cell("began", entry.began ? moment(entry.began) : NONE),
      cell("source", make("span", "place", entry.place)),
    );
    line.setAttribute("role", "row");
    line.dataset.index = String(index);
    return line;
  }

  function cell(className, ...children) {
    const element = make("td", className, ...children);
    element.setAttribute("role", "cell");
    if (element.textContent === NONE) element.classList.add("missing");
    return element;
  }

  function severity(name) {
    return colours.has(name) ? [make("span", `dot s${colours.get(name)}`), name] : [name || NONE];
  }

  function badge(action) {
    const symbol = make("span", "symbol", symbols.get(kind(action)));
    symbol.setAttribute("aria-hidden", "true");
    return make("span", `badge is-${kind(action)}`, symbol, ` ${action}`);
  }

  function named(entry) {
    if (entry.hidden) return make("em", "", "private");
    return entry.private ? make("span", "", entry.name, " ", make("em", "", "private")) : entry.name || NONE;
  }

  function reference(entry) {
    if (!entry.reference) return "";
    if (!entry.link.startsWith("https://")) return make("span", "reference", entry.reference);
    const link = make("a", "reference", entry.reference);
    link.href = entry.link;
    link.rel = "noreferrer noopener";
    link.target = "_blank";
    return link;
  }

  function moment(text) {
    const element = make("time", "", `${text.slice(0, 10)} ${text.slice(11, 16)}`);
    element.dateTime = text;
    element.title = text;
    return element;
  }

  // -- an opened row -----------------------------------------------------------------------------------

  function detail(index) {
    const entry = entries[index];
    const content = make("div", "detail", make("p", "title", entry.title));
    if (entry.explanation) content.append(make("p", "explanation", entry.explanation));
    if (entry.rows.length) content.append(make("dl", "fields", ...entry.rows.map(field)));
    if (entry.unchanged) {
      const fields = entry.unchanged === 1 ? "field" : "fields";
      content.append(make("p", "unchanged", `${entry.unchanged} unchanged ${fields} hidden`));
    }
    const held = make("td", "", content);
    held.colSpan = headings.length;
    held.setAttribute("role", "cell");
    const line = make("tr", "opened", held);
    line.setAttribute("role", "row");
    line.id = `detail-${index}`;
    return line;
  }

  function field([symbol, label, before, after, note, lines]) {
    const mark = make("span", "symbol", symbol);
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", meanings[symbol]);
    const value = make("dd", "");
    if (before !== null) value.append(make("span", "before", before), make("span", "arrow", " \u2192 "));
    value.append(after);
    if (note) value.append(make("span", "why", note));
    if (lines.length) value.append(make("pre", "", ...lines.map(diffLine)));
    return make("div", `is-${meanings[symbol]}`, make("dt", "", mark, " ", label), value);
  }

  const LINES = { "+": "line plus", "-": "line minus", "@": "line at", "\u2026": "line rest" };

  function diffLine([marker, ...pieces]) {
    const words = pieces.map((piece, place) => (place % 2 ? make("mark", "", piece) : piece));
    return make("span", LINES[marker] || "line", make("span", "marker", marker), ...words, "\n");
  }

  function toggle(line) {
    const index = Number(line.dataset.index);
    const open = !opened.has(index);
    if (open) {
      opened.add(index);
      line.after(detail(index));
    } else {
      opened.delete(index);
      line.nextElementSibling.remove();
    }
    const button = byId(`row-${index}`);
    button.setAttribute("aria-expanded", String(open));
    if (open) button.setAttribute("aria-controls", `detail-${index}`);
    else button.removeAttribute("aria-controls");
  }

  // -- mouse and keyboard ------------------------------------------------------------------------------

  function resort(heading) {
    const by = heading.dataset.sort;
    const again = sorting.by === by;
    if (again && sorting.direction === -1) sorting = { by: "", direction: 1 };
    else sorting = { by, direction: again ? -1 : 1 };
    for (const each of headings) {
      const word = sorting.direction === 1 ? "ascending" : "descending";
      each.setAttribute("aria-sort", each.dataset.sort === sorting.by ? word : "none");
    }
    sort();
  }

  function walk(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    const line = event.target.closest("tr.change");
    if (!line || !(event.key in steps)) return;
    event.preventDefault();
    const buttons = [...body.querySelectorAll("button.key")];
    const place = buttons.indexOf(line.querySelector("button.key")) + steps[event.key];
    if (place === buttons.length) extend(CHUNK);
    if (place >= 0) [...body.querySelectorAll("button.key")][place]?.focus();
  }

  function clicked(event) {
    const line = event.target.closest("tr.change");
    if (!line || event.target.closest("a")) return;
    const selecting = !event.target.closest("button") && String(window.getSelection()).length > 0;
    if (!selecting) toggle(line);
  }

  function listen() {
    let waiting = 0;
    search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(select, 80);
    });
    form.addEventListener("change", select);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(select));
    for (const heading of headings) heading.firstElementChild.addEventListener("click", () => resort(heading));
    body.addEventListener("click", clicked);
    body.addEventListener("keydown", walk);
    more.addEventListener("click", () => {
      const first = shown;
      extend(CHUNK);
      byId(`row-${matching[first]}`).focus();
    });
    new IntersectionObserver(
      (seen) => seen.some((each) => each.isIntersecting) && !more.hidden && extend(CHUNK),
      { rootMargin: "600px" },
    ).observe(more.parentElement);
    window.addEventListener("beforeprint", () => extend(matching.length));
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input, select, textarea");
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      search.focus();
    });
  }

  fillFilters();
  listen();
  render();
  byId("scriptless").hidden = true;
  byId("tool").hidden = false;
})();
