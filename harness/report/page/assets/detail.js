// One spec: its head, its failure, and what its journal shows.
const current = {spec: -1, at: -1, journal: null, end: null};

async function detail(run, want) {
  const spec = run.specs[want.spec], which = Number(want.journal || 0), again = current.spec === want.spec && current.at === which;
  if (again && !current.stale) return;
  Object.assign(current, {spec: want.spec, at: which, stale: false});
  const about = spec.journals?.[Math.min(which, spec.journals.length - 1)];
  const shown = document.getElementById('journal');
  if (!again || !about || !shown) {
    endJournal();
    const later = make('div', {id: 'journal'}, about ? make('p', {class: 'soft'}, 'Opening the journal …') : '');
    document.getElementById('detail').replaceChildren(back(), specHead(spec), failureOf(spec), later);
    if (!about && spec.group !== 'skipped') later.append(make('p', {class: 'soft'}, 'There is no journal of this spec.'));
  }
  if (!about) return;
  const journal = await source.journal(about.id);
  if (current.spec !== want.spec || current.at !== which) return;
  showJournal(document.getElementById('journal'), journal, {head: journalHead(run, spec, about, journal, which), keep: again});
  requestAnimationFrame(() => performance.mark('shown'));
}

function back() { return make('button', {class: 'back', onclick: () => goTo({spec: ''})}, '← all specs'); }

function endJournal() {
  current.end?.();
  current.end = null;
  view.watchers = [];
}

// showJournal shows a journal in an element, in place of what is there. With keep it stays where the time was, and what was chosen.
function showJournal(element, journal, {head = '', keep = false} = {}) {
  const was = keep && current.journal ? {...view, whole: isWhole()} : null;
  endJournal();
  current.journal = journal;
  const line = timeline(journal);
  Object.assign(current, {end: line.end, line});
  element.replaceChildren(differsOf(journal.trace), lastEvents(journal.trace), head, make('h3', {}, 'Timeline'), line.element, make('div', {id: 'chosen'}), messagesOf(journal.trace), clusterAt(journal.trace), verdictsOf(journal), eventsOf(journal));
  if (!was || was.whole) showAll(); else show(was.from, was.to);
  if (was) Object.assign(view, {cursor: was.cursor, marked: was.marked});
  if (was?.chosen >= 0) choose(was.chosen, false);
}

function specHead(spec) {
  const word = spec.state || 'outcome not known';
  return make('div', {}, make('h2', {}, spec.name), make('div', {class: 'row', style: 'margin-top:6px'},
    make('span', {class: 'badge ' + spec.group}, spec.group === 'slow' ? 'passed, slow' : word),
    spec.group !== 'skipped' && make('span', {class: 'soft'}, span(spec.seconds * 1e9)), spec.place && make('span', {class: 'soft mono'}, spec.place),
    (spec.labels || []).map(l => make('button', {class: 'chip', title: 'Show the specs with this label', onclick: () => goTo({label: l})}, l))),
  spec.why && make('p', {}, 'Skipped: ' + spec.why), spec.again && command(spec.again));
}

function journalHead(run, spec, about, journal, which) {
  const facts = [['seed', about.seed], ['target', about.target], ['nodes', about.nodes], ['events', number(about.events)], ['time of the cluster', span(about.length)], ['began', journal.trace.begin]];
  const several = spec.journals.length > 1 && make('select', {'aria-label': 'Journal', onchange: e => goTo({journal: e.target.value})},
    spec.journals.map((j, i) => make('option', {value: i, selected: i === which}, `cluster ${i + 1} of ${spec.journals.length}`)));
  return make('div', {}, make('h3', {}, 'Cluster'), make('div', {class: 'row'}, several,
    make('div', {class: 'facts'}, facts.filter(([, v]) => v).map(([name, value]) => make('span', {}, name + ' ', make('b', {}, String(value))))),
    make('button', {onclick: () => download(about.file, journal.text)}, 'Download the journal'), comparison(run, spec, about)),
  about.dropped ? make('p', {}, `The journal lost ${number(about.dropped)} events before it was saved: it is not complete.`) : '');
}

function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], {type: 'application/x-ndjson'}));
  make('a', {href: url, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
