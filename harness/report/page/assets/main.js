// The page as a whole.
let run, updateList;

function head() {
  const header = document.getElementById('head');
  header.className = run.passed ? '' : 'failed';
  const facts = [...run.facts];
  if (run.started) facts.splice(3, 0, {name: 'started', value: run.started.replace('T', ' ').replace(/\.\d+/, '').replace('Z', ' UTC')});
  header.replaceChildren(make('h1', {}, `${run.title}: ${run.verdict}`), make('div', {class: 'facts'}, facts.map(f => make('span', {}, f.name + ' ', make('b', {}, f.value)))), run.again ? command(run.again) : '');
}

function followAddress() {
  const want = address();
  const some = want.spec !== undefined && run.specs[want.spec];
  if (!some && (run.specs.length === 1 || !narrow())) want.spec = String(Math.max(0, run.specs.findIndex(s => matches(s, want))));
  const one = run.specs[want.spec] !== undefined;
  document.body.classList.toggle('one', one);
  document.body.classList.toggle('many', run.specs.length > 1);
  updateList(want);
  if (one) detail(run, want).catch(problem); else current.spec = -1;
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

try {
  run = JSON.parse(await unpack('run'));
  run.specs ??= [];
  run.prefix = commonPrefix(run.specs.map(s => s.name));
  head();
  updateList = buildList(run);
  addEventListener('hashchange', followAddress);
  followAddress();
  document.documentElement.dataset.ready = '';
} catch (error) {
  document.getElementById('head').append(make('p', {}, 'The page cannot be shown: ' + error));
  throw error;
}
