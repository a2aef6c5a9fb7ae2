// comparison is a choice of another cluster on the page, whose lanes and plots are then shown below those of this one.
function comparison(run, spec, about) {
  const others = run.specs.flatMap(s => (s.journals || []).map((j, i) => ({id: j.id, same: s.name === spec.name,
    name: s.name + (s.journals.length > 1 ? `, cluster ${i + 1}` : '')}))).filter(o => o.id !== about.id);
  if (!others.length) return '';
  others.sort((a, b) => b.same - a.same || a.name.localeCompare(b.name));
  const choose = async event => {
    const other = others[event.target.value];
    current.line.compare(other ? await source.journal(other.id) : null, other?.name);
  };
  return make('select', {'aria-label': 'Compare with another cluster', class: 'compare', onchange: e => choose(e).catch(problem)},
    make('option', {value: ''}, 'Compare with …'), others.map((o, i) => make('option', {value: i}, cutText(o.name, 90))));
}
