"use strict";
// Everything foreign is shown as text (textContent), never as markup. The details are parsed when first needed.
(() => {
  const body = document.querySelector("#table tbody");
  const rows = [...body.rows];
  const search = document.getElementById("search");
  const grade = document.getElementById("grade");
  const verdicts = [...document.querySelectorAll("select.verdict")];
  const shown = document.getElementById("shown");
  const heads = [...document.querySelectorAll("#table th")];
  const ORDER = { MUST: 5, MUST_NOPEERMATCH: 4, MAY: 3, NONE: 2, INCONCLUSIVE: 1, NO_MAIL: 0,
    fail: 0, unknown: 1, warn: 2, pass: 3, "not-applicable": 4 };
  const texts = rows.map((row) => [...row.cells].map((cell) => cell.textContent));
  const searchable = texts.map((cells) => cells.join(" ").toLowerCase());
  const STEP = 500; // rows laid out at once; thousands would make the page slow
  const more = document.getElementById("more");
  let limit = STEP;
  let order = rows.map((_, n) => n);
  let all = null;

  const details = () => (all ??= JSON.parse(document.getElementById("details").textContent));

  const make = (name, text, kind) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (kind) element.className = kind;
    return element;
  };

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    order.forEach((n) => {
      const row = rows[n];
      const cells = texts[n];
      const fits = words.every((word) => searchable[n].includes(word)) &&
        (!grade.value || cells[1] === grade.value) &&
        verdicts.every((select, place) => !select.value || cells[6 + place] === select.value);
      count += fits;
      row.hidden = !fits || count > limit;
      if (row.nextElementSibling?.className === "detail") row.nextElementSibling.hidden = row.hidden;
    });
    shown.textContent = `${count} of ${rows.length}`;
    more.hidden = count <= limit;
    more.textContent = `Show ${Math.min(STEP, count - limit)} more`;
  };

  const sort = (column) => {
    const head = heads[column];
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((other) => other.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (n) => (texts[n][column] in ORDER ? String(ORDER[texts[n][column]]) : texts[n][column]);
    order = rows.map((_, n) => n).sort((a, b) => {
      const [left, right] = [key(a), key(b)];
      return (left < right ? -1 : left > right ? 1 : a - b) * (up ? 1 : -1);
    });
    const fragment = document.createDocumentFragment();
    for (const n of order) {
      const detail = rows[n].nextElementSibling;
      const follows = detail?.className === "detail" && detail.dataset.of === rows[n].dataset.n ? detail : null;
      fragment.append(rows[n]);
      if (follows) fragment.append(follows);
    }
    body.append(fragment);
    limit = STEP;
    filter();
  };

  const list = (into, title, lines) => {
    if (!lines.length) return;
    into.append(make("h4", title));
    const items = make("ul");
    lines.forEach((line) => items.append(make("li", line)));
    into.append(items);
  };

  const findings = (into, domain) => {
    if (!domain.findings.length && !domain.passed) return;
    into.append(make("h4", `Findings (${domain.passed} passed, not listed)`));
    const { requirements, texts, verdicts: words } = details();
    const open = domain.findings.filter(([, verdict]) => words[verdict] === "unknown");
    const fold = make("details");
    if (open.length) fold.append(make("summary", `${open.length} open questions: what was not asked or not answered`));
    for (const [place, kind, subject, evidence, note] of domain.findings) {
      const verdict = words[kind];
      const [baseline, id, rule, title, clause, level, confidence, mend] = requirements[place];
      const row = make("div", undefined, "finding");
      row.append(make("span", verdict, `verdict v-${verdict}`), ` ${title} (${baseline} ${id}, ${clause}, ${level}; ${rule}) `);
      row.append(make("b", texts[subject]), `: ${texts[evidence]}`);
      if (note !== undefined) row.append(` [${texts[note]}]`);
      if (confidence !== "confirmed") row.append(` [clause ${confidence}]`);
      if (mend && verdict !== "unknown") row.append(make("div", `To mend it: ${mend}`, "mend"));
      (verdict === "unknown" ? fold : into).append(row);
    }
    if (open.length) into.append(fold);
  };

  const endpoint = (into, facts) => {
    into.append(make("h4", facts.name));
    const words = Object.entries(facts.protocols).map(([version, fact]) => `${version} ${fact}`).join(", ");
    const lines = [`state ${facts.state}, STARTTLS ${facts.starttls}, last seen ${facts.seen}, connections ${facts.connections}`];
    if (facts.detail) lines.push(facts.detail);
    if (facts.sustained.length) lines.push(`sustains ${facts.sustained.join(", ")}`);
    facts.reasons.forEach(([level, fact, reason, detail]) => lines.push(`${level}: ${fact}, ${reason}: ${detail}`));
    if (Object.values(facts.protocols).some((fact) => fact !== "not-tested")) lines.push(words);
    for (const [version, suites] of Object.entries(facts.suites)) {
      lines.push(`${version}${facts.incomplete.includes(version) ? " (at least)" : ""}: ${suites.join(", ")}`);
    }
    if (facts.leaf) {
      const [subject, issuer, names, days, sha256] = facts.leaf;
      lines.push(`certificate ${subject}, names ${names}, issued by ${issuer}, ${days}, SHA-256 ${sha256}`);
    }
    if (facts.trust) lines.push(`chain: ${facts.trust}`);
    const items = make("ul");
    lines.forEach((line) => items.append(make("li", line)));
    into.append(items);
    if (facts.transcript?.some(Boolean)) {
      const fold = make("details");
      fold.append(make("summary", "Transcript"), make("pre", facts.transcript.join("\n")));
      into.append(fold);
    }
  };

  const open = (row) => {
    const domain = details().domains[Number(row.dataset.n)];
    const detail = make("tr", undefined, "detail");
    detail.dataset.of = row.dataset.n;
    const outer = make("td");
    outer.colSpan = heads.length;
    const cell = make("div");
    outer.append(cell);
    cell.append(make("h3", domain.ascii === domain.domain ? domain.domain : `${domain.domain} (${domain.ascii})`));
    const said = [`Sustained: ${domain.sustained.join(", ") || "none"}`, domain.coverage];
    if (domain.unknown.length) said.push(`not known: ${domain.unknown.join(", ")}`);
    if (domain.names) said.push(domain.names.join(", "));
    cell.append(make("p", said.filter(Boolean).join("; ")));
    if (domain.binding) {
      const [reason, host, words, remedy] = domain.binding;
      cell.append(make("p", `What caps it: ${reason}${host ? ` at ${host}` : ""}: ${words}`));
      cell.append(make("p", `What would lift it: ${remedy}`, "mend"));
    }
    list(cell, "Remarks", domain.remarks ?? []);
    list(cell, "Next cliffs", (domain.cliffs ?? []).map(([day, words]) => `${day}: ${words}`));
    findings(cell, domain);
    domain.endpoints.forEach((place) => endpoint(cell, details().endpoints[place]));
    detail.append(outer);
    row.after(detail);
  };

  body.addEventListener("click", (event) => {
    const button = event.target.closest("button.open");
    if (!button) return;
    const row = button.closest("tr");
    const next = row.nextElementSibling;
    const isOpen = next?.className === "detail";
    if (isOpen) next.remove();
    else open(row);
    button.setAttribute("aria-expanded", String(!isOpen));
  });
  heads.forEach((head, column) => head.addEventListener("click", () => sort(column)));
  const afresh = () => {
    limit = STEP;
    filter();
  };
  search.addEventListener("input", afresh);
  [grade, ...verdicts].forEach((select) => select.addEventListener("change", afresh));
  const reveal = (number) => {
    limit = number;
    filter();
  };
  more.addEventListener("click", () => reveal(limit + STEP));
  addEventListener("beforeprint", () => reveal(Infinity));
  addEventListener("afterprint", () => reveal(STEP));
  filter();
})();
