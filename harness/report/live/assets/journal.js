// The timeline of package page, over a journal that goes on.
const words = new Map(); // by the number of an event: its words, and its line
let lastNumber = 0;

async function traceOf() {
  const got = await ask('GET', 'trace?since=' + lastNumber), {numbers} = got, first = numbers.length - got.words.length;
  const news = got.words.map((w, i) => [w, got.lines[i]]), of = (n, i) => (n ? words.get(n) : news[i - first]) || ['', ''];
  news.forEach((one, i) => { if (numbers[first + i]) words.set(numbers[first + i], one); });
  lastNumber = numbers.findLast(n => n) ?? lastNumber;
  if (words.size > 2 * numbers.length + 1000) { const kept = new Set(numbers); for (const n of words.keys()) if (!kept.has(n)) words.delete(n); }
  got.words = numbers.map((n, i) => of(n, i)[0]);
  got.lines = ['', ...numbers.map((n, i) => of(n, i)[1])];
  return got;
}

const spans = [[30e9, 'the last 30 s'], [120e9, 'the last 2 min'], [600e9, 'the last 10 min'], [0, 'all']];

async function journalPanel() {
  const holder = document.getElementById('journal'), follows = make('input', {type: 'checkbox', checked: true}), of = select('How much of the time is shown', spans, 30e9), total = make('span', {class: 'soft'});
  const trace = await traceOf(), journal = {trace, lines: trace.lines};
  current.journal = journal;
  const line = timeline(journal), events = eventsOf(journal, true);
  holder.append(make('div', {class: 'row'}, make('h2', {}, 'Timeline'), make('label', {}, follows, ' follow'), of, total), line.element, make('div', {id: 'chosen'}), events);
  let mine = false, seen = true;
  const latest = () => {
    mine = true;
    const width = Number(of.value), end = view.length * 1.003;
    if (width) show(Math.max(0, view.length - width), end); else showAll();
    mine = false;
  };
  for (const move of ['pointerdown', 'wheel', 'keydown', 'dblclick']) line.element.addEventListener(move, e => { if (move !== 'wheel' || e.ctrlKey || e.deltaX) stop(); });
  const stop = () => { follows.checked = false; };
  follows.onchange = () => { if (follows.checked) latest(); };
  of.onchange = () => { follows.checked = true; latest(); };
  new IntersectionObserver(all => { seen = all.at(-1).isIntersecting; }).observe(holder);
  latest();
  document.documentElement.dataset.timeline = '';
  for (;;) {
    await pause(1000);
    if (!seen || document.hidden || !latestState) continue;
    try {
      const chosen = view.chosen >= 0 ? trace.numbers[view.chosen] : -1, next = await traceOf();
      journal.lines = next.lines;
      line.renew(next);
      events.renew();
      view.chosen = chosen <= 0 ? -1 : next.numbers.indexOf(chosen);
      say(total, `${number(next.total)} events`);
      if (follows.checked) latest();
    } catch { /* the state tells that the cluster does not answer */ }
  }
}
