// The events in view as text.
function eventsOf(journal, newestFirst = false) {
  const trace = journal.trace, most = 300;
  const inOrder = () => { const all = trace.at.map((_, i) => i).sort((a, b) => trace.at[a] - trace.at[b] || a - b); return newestFirst ? all.reverse() : all; };
  let order = inOrder();
  const body = make('tbody'), caption = make('span', {class: 'soft'});
  const input = make('input', {type: 'search', placeholder: 'such as: fault, node 1, client 3, ->', 'aria-label': 'Search events', oninput: () => tell('range')});
  const element = make('section', {id: 'events'}, make('h3', {}, 'Events in view'), make('div', {class: 'tools'}, input, caption), make('div', {class: 'scroll'}, make('table', {}, body)));
  let timer;
  const fill = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean), step = Math.max(1e3, (view.to - view.from) / 2000);
    let n = 0;
    const rows = [];
    for (const i of order) {
      if (trace.at[i] + trace.took[i] < view.from || trace.at[i] > view.to) continue;
      const text = trace.words[i];
      if (words.length) { const low = text.toLowerCase(); if (!words.every(w => low.includes(w))) continue; }
      if (n++ >= most) continue;
      rows.push(make('tr', {class: (/ -> /.test(text) ? 'error ' : '') + (view.chosen === i ? 'chosen' : ''), onclick: () => choose(i, false)}, make('td', {}, moment(trace.at[i], step)), make('td', {}, cutText(text, 300))));
    }
    body.replaceChildren(...rows);
    caption.textContent = n > most ? `the ${newestFirst ? 'last' : 'first'} ${most} of ${number(n)} events: zoom in, or search` : `${number(n)} events`;
  };
  watch(what => {
    if (!what.has('range') && !what.has('chosen')) return;
    clearTimeout(timer);
    if (!timer) fill();
    timer = setTimeout(fill, 120);
  });
  element.renew = () => { order = inOrder(); };
  return element;
}

// choose marks an event in the timeline and shows its line of the journal.
function choose(i, andCopy) {
  const {trace, lines} = current.journal, line = lines[i + 1];
  view.chosen = i;
  const at = trace.at[i];
  if (at < view.from || at > view.to) show(at - (view.to - view.from) / 2, at + (view.to - view.from) / 2);
  view.cursor = at;
  tell('cursor');
  tell('chosen');
  document.getElementById('chosen').replaceChildren(
    make('div', {class: 'row'}, make('b', {}, `Event ${i + 1}`), make('span', {}, moment(at, 1e3)), make('button', {onclick: () => copy(line, "the journal's line")}, "Copy the journal's line")),
    make('div', {}, cutText(trace.words[i], 2000)), make('pre', {class: 'wrap'}, cutText(line, 4000)));
  if (andCopy) copy(line, "the journal's line");
}
