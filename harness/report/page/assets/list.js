// The list of specs. What is searched for and shown is kept in the address.
const groupWords = {failed: 'failed', slow: 'slow', passed: 'passed', skipped: 'skipped', unknown: 'outcome not known'};

function address() { return Object.fromEntries(new URLSearchParams(location.hash.slice(1))); }
function goTo(changes, replace) {
  const next = {...address(), ...changes};
  const kept = Object.entries(next).filter(([, value]) => value !== '' && value != null);
  const hash = '#' + new URLSearchParams(kept);
  if (replace) { history.replaceState(null, '', hash); followAddress(); } else location.hash = hash;
}

function matches(spec, want) {
  if (want.group && spec.group !== want.group) return false;
  if (want.label && !(spec.labels || []).includes(want.label)) return false;
  if (!want.q) return true;
  const all = [spec.name, spec.place, spec.why, spec.failure?.message, ...(spec.labels || [])].join('\n').toLowerCase();
  return want.q.toLowerCase().split(/\s+/).every(word => all.includes(word));
}

function buildList(run) {
  const nav = document.getElementById('list');
  const labels = [...new Set(run.specs.flatMap(s => s.labels || []))].sort();
  const search = make('input', {type: 'search', id: 'search', placeholder: 'Search names, messages, labels ( / )', 'aria-label': 'Search',
    oninput: e => goTo({q: e.target.value}, true)});
  const chips = make('div', {class: 'chips', role: 'group', 'aria-label': 'Outcome'});
  const select = make('select', {'aria-label': 'Label', onchange: e => goTo({label: e.target.value}, true)},
    make('option', {value: ''}, 'all labels'), labels.map(l => make('option', {value: l}, l)));
  const items = make('div', {id: 'items'});
  const typing = document.activeElement?.id === 'search';
  nav.replaceChildren(search, labels.length ? select : '', chips, items);
  if (typing) { search.value = address().q || ''; search.focus(); }
  let before;
  return want => {
    if (search.value !== (want.q || '')) search.value = want.q || '';
    select.value = want.label || '';
    const key = JSON.stringify([want.q, want.label, want.group]);
    if (key !== before) fill(run, want, chips, items);
    before = key;
    for (const a of items.querySelectorAll('a')) a.setAttribute('aria-current', a.dataset.spec === want.spec);
  };
}

function fill(run, want, chips, items) {
  const others = run.specs.filter(s => matches(s, {...want, group: ''}));
  const count = {};
  for (const s of others) count[s.group] = (count[s.group] || 0) + 1;
  chips.replaceChildren(chip('all', '', others.length, want), ...Object.keys(groupWords).filter(g => run.specs.some(s => s.group === g))
    .map(g => chip(groupWords[g], g, count[g] || 0, want)));
  const shown = run.specs.map((spec, i) => [spec, i]).filter(([s]) => matches(s, want));
  const sharing = {};
  for (const [s] of shown) if (s.failure) sharing[s.failure.cause] = (sharing[s.failure.cause] || 0) + 1;
  const parts = [];
  let heading = '', ul;
  for (const [s] of shown) if (s.why) sharing[s.why] = (sharing[s.why] || 0) + 1;
  shown.sort(([a], [b]) => a.why && b.why && a.why !== b.why ? sharing[b.why] - sharing[a.why] || (a.why < b.why ? -1 : 1) : 0);
  if (run.parts?.length) {
    parts.push(make('ul', {}, make('li', {}, make('a', {href: '#', 'data-spec': overview, onclick: e => { e.preventDefault(); goTo({spec: overview}); }}, make('span', {class: 'name'}, make('b', {}, 'Overview'))))));
    if (!run.specs.length) { items.replaceChildren(...parts); return; }
  }
  if (run.prefix && shown.length) parts.push(make('p', {class: 'soft prefix'}, run.prefix + ' …'));
  for (const [spec, i] of shown) {
    const cause = spec.why || (spec.failure && sharing[spec.failure.cause] > 1 ? spec.failure.cause : '');
    if (heading !== spec.group + cause || !ul) {
      heading = spec.group + cause;
      ul = make('ul');
      parts.push(...section(spec, cause, sharing, ul, want));
    }
    ul.append(item(spec, i, run.prefix));
  }
  if (!shown.length) parts.push(make('p', {class: 'soft'}, 'No spec matches.'));
  items.replaceChildren(...parts);
}

// section begins a part of the list. Specs that were skipped for one reason are one part, closed unless they were asked for.
function section(spec, cause, sharing, ul, want) {
  if (spec.group === 'skipped') return [make('details', {open: Boolean(want.q || want.group || want.label)}, make('summary', {}, `${sharing[cause]} skipped: ${cause}`), ul)];
  return [make('h3', {class: cause ? 'cause' : ''}, cause ? `${sharing[cause]} failed alike: ${cause}` : groupWords[spec.group]), ul];
}

// commonPrefix is the beginning that all names share, in whole words.
function commonPrefix(names) {
  if (names.length < 2) return '';
  let words = names[0].split(' ').slice(0, -1);
  for (const name of names) {
    const own = name.split(' ');
    let n = 0;
    while (n < words.length && words[n] === own[n]) n++;
    words = words.slice(0, n);
  }
  return words.length > 1 ? words.join(' ') : '';
}

function chip(text, group, n, want) {
  return make('button', {class: 'chip', disabled: n === 0, 'aria-pressed': String((want.group || '') === group), onclick: () => goTo({group}, true)}, `${text} ${n}`);
}

function item(spec, i, prefix) {
  const a = make('a', {href: '#', 'data-spec': i, onclick: e => { e.preventDefault(); goTo({spec: i, journal: ''}); }},
    make('span', {class: 'dot ' + spec.group, title: groupWords[spec.group]}),
    make('span', {class: 'name', title: spec.name}, spec.name.slice(prefix.length).trim(),
      spec.group !== 'failed' && (spec.journals || []).some(j => j.broken) && make('span', {class: 'objects'}, ' a judge objects')),
    spec.group !== 'skipped' && make('time', {}, span(spec.seconds * 1e9)));
  return make('li', {}, a);
}

// step shows the next spec of the list, or the one before.
function stepList(by) {
  const all = [...document.querySelectorAll('#items a')];
  const at = all.findIndex(a => a.getAttribute('aria-current') === 'true');
  const next = all[Math.max(0, Math.min(all.length - 1, at + by))];
  next?.scrollIntoView({block: 'nearest'});
  next?.click();
}
