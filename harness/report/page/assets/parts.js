// Parts are about the whole run: texts and tables.
function partsOf(run) {
  return (run.parts || []).map(p => make('section', {class: 'part'}, make('h3', {}, p.title), (p.texts || []).map(t => make('p', {}, t)),
    p.code && make('div', {class: 'code'}, make('button', {onclick: () => copy(p.code, p.title)}, 'Copy'), make('pre', {}, p.code)),
    p.rows?.length && make('div', {class: 'wide'}, make('table', {class: 'grid'}, make('thead', {}, make('tr', {}, (p.columns || []).map(c => make('th', {scope: 'col'}, c)))),
      make('tbody', {}, p.rows.map(r => make('tr', {}, r.map(cellOf))))))));
}

function cellOf(c) {
  const bar = c.bar ? `background: linear-gradient(to right, color-mix(in srgb, var(--accent) 22%, transparent) ${(c.bar * 100).toFixed(1)}%, transparent 0)` : null;
  return make('td', {class: c.is ? 'is-' + c.is : null, style: bar}, c.text);
}
