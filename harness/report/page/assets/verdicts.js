// What the judges say about the journal.
function verdictsOf(journal) {
  const all = journal.trace.verdicts;
  if (!all.length) return '';
  const judged = all.filter(v => v.result !== 'nothing to judge'), idle = all.filter(v => v.result === 'nothing to judge');
  const rows = judged.map(v => make('tr', {}, make('td', {}, make('span', {class: 'badge ' + v.result}, v.result)), make('td', {}, make('b', {}, v.rule), make('div', {class: 'soft'}, v.promise)),
    make('td', {}, counts(v)), make('td', {}, objections(v, journal))));
  return make('section', {}, make('h3', {}, 'Verdicts of the judges'),
    rows.length ? make('table', {class: 'verdicts'}, make('tbody', {}, rows)) : '',
    idle.length ? make('p', {class: 'soft'}, `The journal has nothing to judge for: ${idle.map(v => v.rule).join('; ')}.`) : '');
}

function counts(v) {
  const left = (v.leftOut || []).map(l => make('div', {class: 'soft'}, `${number(l.count)} left out: ${l.why}`));
  return [make('div', {}, `looked at ${number(v.judged)} events`), ...left, ...(v.notes || []).map(n => make('div', {class: 'soft'}, n))];
}

function objections(v, journal) {
  const parts = (v.violations || []).map(o => make('div', {}, make('b', {}, o.rule + ': '), o.text, ' ',
    o.events.length ? make('button', {onclick: () => mark(o.events, journal)}, `Show its ${o.events.length} events`) : '', o.cycle ? cycleOf(o.cycle, journal) : '', o.picture ? pictureOf(o.picture) : ''));
  if (v.more) parts.push(make('div', {class: 'soft'}, `and ${number(v.more)} more`));
  if (v.refused) parts.push(make('pre', {class: 'wrap'}, v.refused));
  for (const u of v.undecided || []) parts.push(make('div', {}, 'not decided: ' + u));
  return parts;
}

// mark shows events in the timeline, with a frame around each.
function mark(events, journal) {
  const {at, took} = journal.trace;
  view.marked = new Set(events);
  const from = Math.min(...events.map(i => at[i])), to = Math.max(...events.map(i => at[i] + took[i])), room = Math.max((to - from) * .15, 1e5);
  show(from - room, to + room);
  choose(events[0], false);
  document.getElementById('stage').scrollIntoView({block: 'start', behavior: 'smooth'});
}

// pictureOf is porcupine's picture, a page of its own, which is made when it is opened.
function pictureOf(html) {
  const details = make('details', {class: 'picture'}, make('summary', {}, "Porcupine's picture of the operations up to it, with the faults"));
  details.ontoggle = () => { if (details.open && details.children.length === 1) details.append(make('iframe', {srcdoc: html, sandbox: 'allow-scripts', title: "Porcupine's picture"})); };
  return details;
}
