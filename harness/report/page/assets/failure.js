// Why a spec failed.
function failureOf(spec) {
  const f = spec.failure;
  if (!f) return '';
  return make('section', {id: 'failure'}, make('h3', {}, 'Failure', f.place ? make('span', {class: 'soft mono place'}, '  ' + f.place) : ''), make('pre', {class: 'message wrap'}, f.message),
    f.source && make('pre', {class: 'source'}, f.source.map(l => make('div', {class: l.here ? 'here' : ''}, make('span', {class: 'soft'}, String(l.number).padStart(4) + '  '), l.text))),
    (f.notes || []).map(n => make('details', {open: !spec.journals && /cluster/.test(n.title)}, make('summary', {}, n.title), make('pre', {}, n.text))));
}

// differsOf shows where the answers of nodes differ: the last difference, and the others folded.
function differsOf(trace) {
  const all = [...trace.differs || []].reverse();
  if (!all.length) return '';
  return make('section', {id: 'differs'}, make('h3', {}, 'What differed'), difference(all[0], trace),
    all.length > 1 && make('details', {}, make('summary', {}, `${all.length - 1} earlier`), all.slice(1).map(d => difference(d, trace))));
}

function difference(d, trace) {
  const rows = d.nodes.map(n => n.row), size = Math.max(...rows.map(r => r?.length || 0)), both = rows.every(r => r);
  const name = i => d.columns?.[i] ?? `column ${i + 1}`, columns = Array.from({length: size}, (_, i) => name(i));
  const differs = i => both && rows[0][i] !== rows[1][i] || name(i) === d.column;
  const table = make('table', {class: 'grid differs'}, make('thead', {}, make('tr', {}, make('th', {scope: 'col'}, 'node'), make('th', {scope: 'col'}, 'applied index'), columns.map((c, i) => make('th', {scope: 'col', class: differs(i) ? 'is-failed' : ''}, c)))),
    make('tbody', {}, d.nodes.map(n => make('tr', {}, make('th', {scope: 'row'}, `node ${n.node}`), make('td', {}, n.applied ? number(n.applied) : 'not known'),
      n.row ? columns.map((_, i) => make('td', {class: 'mono' + (differs(i) ? ' differ' : '')}, n.row[i] ?? '')) : make('td', {class: 'differ', colspan: Math.max(size, 1)}, 'has no such row')))));
  const more = d.nodes.filter(n => n.only).map(n => `${number(n.only)} rows are only on node ${n.node}`);
  const counted = d.nodes.filter(n => n.count).map(n => `node ${n.node} has the row ${n.count === 1 ? 'once' : n.count + ' times'}`);
  return make('div', {}, make('p', {}, make('code', {}, d.query), d.row ? `, row ${d.row}` : '', ' at ', make('button', {class: 'link', onclick: () => choose(d.event, false)}, moment(trace.at[d.event], 1e6))),
    make('div', {class: 'wide'}, table), more.length + counted.length ? make('p', {class: 'soft'}, [...more, ...counted].join('; ')) : '');
}

// lastEvents are those that ended last before the spec failed.
function lastEvents(trace) {
  if (trace.failed < 0) return '';
  const most = 15, last = [];
  for (let i = trace.at.length - 1; i >= 0 && last.length < most; i--) if (trace.at[i] <= trace.failed && !/^(resource|state|spec|message)\b/.test(trace.words[i])) last.unshift(i);
  last.sort((a, b) => trace.at[a] + trace.took[a] - trace.at[b] - trace.took[b]);
  if (!last.length) return '';
  return make('details', {open: true}, make('summary', {}, `The last ${last.length} events before it failed`), make('table', {class: 'grid last'}, make('tbody', {},
    last.map(i => make('tr', {onclick: () => choose(i, false), class: / -> /.test(trace.words[i]) ? 'is-failed' : ''}, make('td', {class: 'soft'}, moment(Math.min(0, trace.at[i] + trace.took[i] - trace.failed), 1e5)), make('td', {}, cutText(trace.words[i], 300)))))));
}
