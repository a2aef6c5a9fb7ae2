// The page as a whole. Its source has the run, and journal(id): a promise of a journal, as journalOf makes it of text.
let source, run, updateList;

// openPage shows a run. It may be called again with newer data: what is searched for and chosen stays, and so does the time in view.
function openPage(from) {
  const first = !source;
  source = from;
  run = from.run;
  run.specs ??= [];
  run.prefix = commonPrefix(run.specs.map(s => s.name));
  head();
  updateList = buildList(run);
  if (first) addEventListener('hashchange', followAddress);
  else current.stale = true;
  followAddress();
  document.documentElement.dataset.ready = '';
}

// journalOf makes a journal of text: its trace in the first line, and then its lines as they were saved. Line 0 is the header.
function journalOf(text) {
  const end = text.indexOf('\n');
  return {trace: JSON.parse(text.slice(0, end)), text: text.slice(end + 1), lines: text.slice(end + 1).trimEnd().split('\n')};
}

function head() {
  const header = document.getElementById('head');
  header.className = run.passed ? '' : 'failed';
  const facts = [...run.facts];
  if (run.started) facts.splice(3, 0, {name: 'started', value: run.started.replace('T', ' ').replace(/\.\d+/, '').replace('Z', ' UTC')});
  header.replaceChildren(make('h1', {}, `${run.title}: ${run.verdict}`), make('div', {class: 'facts'}, facts.map(f => make('span', {}, f.name + ' ', make('b', {}, f.value)))), run.again ? command(run.again) : '', run.runs ? make('a', {href: run.runs, class: 'runs'}, 'All runs') : '');
}

const overview = 'overview';

function followAddress() {
  const want = address(), parts = run.parts?.length;
  const some = run.specs[want.spec] || parts && want.spec === overview;
  if (!some) delete want.spec;
  if (!some && (run.specs.length === 1 && !parts || !narrow())) want.spec = parts ? overview : String(Math.max(0, run.specs.findIndex(s => matches(s, want))));
  if (!some && narrow() && parts && !run.specs.length) want.spec = overview;
  const one = run.specs[want.spec] !== undefined || want.spec === overview;
  document.body.classList.toggle('one', one);
  document.body.classList.toggle('many', run.specs.length > 1 || Boolean(parts && run.specs.length));
  updateList(want);
  if (want.spec === overview) showOverview();
  else if (one) detail(run, want).catch(problem);
  else current.spec = -1;
}

function showOverview() {
  endJournal();
  current.spec = overview;
  document.getElementById('detail').replaceChildren(back(), ...partsOf(run));
}

function problem(error) {
  document.getElementById('detail').append(make('p', {}, 'The page cannot show this: ' + error));
  throw error;
}

addEventListener('keydown', e => {
  if (/INPUT|SELECT|TEXTAREA/.test(e.target.tagName)) { if (e.key === 'Escape') e.target.blur(); return; }
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key === '/') { e.preventDefault(); document.getElementById('search').focus(); }
  if (e.key === 'j') stepList(1);
  if (e.key === 'k') stepList(-1);
});

// On paper the page is light.
addEventListener('beforeprint', () => { document.documentElement.dataset.print = ''; forgetColours(); now(); });
addEventListener('afterprint', () => { delete document.documentElement.dataset.print; forgetColours(); });
