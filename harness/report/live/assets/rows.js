// The rows of the nodes side by side, each from its own state, asked again and again.
function rowsPanel() {
  const names = make('datalist', {id: 'tables'}), tables = select('Table', [['', 'tables']]);
  const query = make('input', {type: 'text', id: 'search', list: 'tables', spellcheck: 'false', autocapitalize: 'off', placeholder: 'a query, such as SELECT * FROM app.t ( / )', 'aria-label': 'Query whose rows are shown'});
  const live = make('input', {type: 'checkbox', checked: true}), grid = make('div', {class: 'scroll'}), caption = make('p', {class: 'soft', role: 'status'}), said = make('p', {class: 'said', role: 'status', hidden: true});
  const compare = make('button', {type: 'button', 'data-key': 'compare', title: 'Waits until all nodes that are online have applied what is committed, and compares every value', onclick: () => act({do: 'compare', sql: query.value}, 'compare')}, 'Verify consistency');
  tables.onchange = () => { if (tables.value) { query.value = `SELECT * FROM ${quoted(tables.value)}`; tables.value = ''; touched = true; refresh(); } };
  let touched = false, known = '', shown = '', asking = false;
  query.oninput = () => { touched = true; };
  query.onchange = refresh;
  query.onkeydown = e => { if (e.key === 'Enter') refresh(); };
  document.getElementById('rows').append(make('h2', {}, 'Rows of the nodes'), make('div', {class: 'row'}, query, names, tables, make('label', {class: 'soft'}, live, ' every second'), compare), said, caption, grid);
  async function refresh() {
    if (asking) return;
    asking = true;
    try {
      const side = await ask('POST', 'rows', {sql: query.value});
      const list = side.tables.join();
      if (list !== known) {
        known = list;
        tables.replaceChildren(make('option', {value: ''}, side.tables.length ? 'tables' : 'no tables yet'), ...side.tables.map(t => make('option', {value: t}, t)));
        names.replaceChildren(...side.tables.map(t => make('option', {value: `SELECT * FROM ${quoted(t)}`})));
        if (!touched && !query.value && side.tables.length) { query.value = `SELECT * FROM ${quoted(side.tables[0])}`; asking = false; return refresh(); }
      }
      const text = JSON.stringify(side);
      if (text !== shown) showSide(side, query.value, grid, caption);
      shown = text;
    } catch (error) {
      shown = '';
      grid.replaceChildren();
      caption.replaceChildren(refusal(error));
    }
    asking = false;
  }
  (async () => {
    for (;;) {
      if ((live.checked || !known) && !document.hidden && latestState) await refresh();
      await pause(1000);
    }
  })();
  return state => { outcome(said, state, 'rows'); compare.disabled = !query.value || state.busy.some(b => b.key === 'compare'); };
}

// quoted keeps a name as it is where that is a name in a namespace.
function quoted(name) { return /^\w+(\.\w+)?$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`; }

function showSide(side, sql, grid, caption) {
  if (!sql) {
    grid.replaceChildren();
    say(caption, 'Choose a table, or write a query: every node answers it from its own state, whatever keeps it away.');
    return;
  }
  const answeredNodes = side.nodes.filter(n => !n.error).length, columns = Math.max(side.columns.length, 1);
  const verdict = !answeredNodes ? 'No node answers.' : side.differ ? `The nodes differ in ${side.differ} of ${counted(side.total, 'row')}.` : `All ${answeredNodes} nodes that answer have the same ${counted(side.total, 'row')}.`;
  caption.replaceChildren(make('b', {class: side.differ ? 'differs' : 'alike'}, verdict), ` Rows are matched by ${side.by}.${side.cut ? ' Only the first 2,000 rows of each node were read.' : ''}`);
  const heads = side.nodes.map(n => make('th', {scope: 'colgroup', colspan: columns, style: `border-top:3px solid var(--node${n.index % 7})`}, `node ${n.index} `,
    make('span', {class: 'soft'}, n.error ? n.error : `applied ${n.from === n.to ? n.from : n.from + ' to ' + n.to}, ${counted(n.rows, 'row')}`)));
  const lines = side.lines.flatMap(line => [line.skipped ? make('tr', {class: 'skipped'}, make('td', {colspan: columns * side.nodes.length}, `${counted(line.skipped, 'equal row')}`)) : null,
    make('tr', {}, side.nodes.flatMap((n, i) => {
      const row = line.rows[i], wrong = new Set(line.wrong?.[i] || []);
      if (n.error) return make('td', {class: 'first', colspan: columns});
      if (!row) return make('td', {class: 'first missing', colspan: columns}, 'no such row');
      return row.map((cell, c) => { const td = cellOf('td', cell); if (c === 0) td.classList.add('first'); if (wrong.has(c)) td.classList.add('wrong'); return td; });
    }))]).filter(Boolean);
  grid.replaceChildren(make('table', {class: 'data side'}, make('thead', {}, make('tr', {}, heads), make('tr', {}, side.nodes.flatMap(n => n.error ? [make('th', {class: 'first', colspan: columns})] : side.columns.map((c, i) => make('th', {scope: 'col', class: i ? '' : 'first'}, c))))), make('tbody', {}, lines)));
}
