// The cluster at a moment: that of the cursor or, without one, that of the failure or the end.
function clusterAt(trace) {
  const title = make('h3', {}), body = make('tbody');
  const element = make('section', {id: 'cluster'}, title, make('div', {class: 'wide'}, make('table', {class: 'grid'},
    make('thead', {}, make('tr', {}, ['node', 'health', 'role', 'term and leader', 'away', 'applied', 'behind', 'log'].map(t => make('th', {scope: 'col'}, t)))), body)));
  const at = (spans, t) => { let found = null; for (let i = Math.max(0, firstIn(spans, t)); i < spans.length && spans[i].from <= t; i++) found = spans[i]; return found; };
  const fill = () => {
    const failed = trace.failed >= 0, t = view.cursor ?? (failed ? trace.failed : trace.length);
    title.textContent = view.cursor != null ? `The cluster at ${moment(Math.max(0, t), (view.to - view.from) / 800)}` : failed ? 'The cluster when it failed' : 'The cluster at the end';
    body.replaceChildren(...trace.nodes.map(n => {
      const health = at(n.health, t), role = at(n.roles, t), away = at(n.away, t), i = firstFromList(n.samples.at, t), sample = f => i >= 0 ? number(n.samples[f][i]) : '';
      return make('tr', {}, make('th', {scope: 'row'}, `node ${n.index}`), make('td', {class: health?.is === 'online' && !away ? 'is-ok' : 'is-unknown'}, health?.is || 'not known'), make('td', {}, role?.is || ''), make('td', {}, role?.text || ''),
        make('td', {class: 'is-failed'}, away?.is || ''), make('td', {}, sample('applied')), make('td', {class: i >= 0 && n.samples.behind[i] > 0 ? 'is-unknown' : ''}, sample('behind')), make('td', {}, sample('log')));
    }));
  };
  watch(what => { if (what.has('cursor') || what.has('range')) fill(); });
  fill();
  return element;
}
