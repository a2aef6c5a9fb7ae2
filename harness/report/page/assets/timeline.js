// The timeline: a ruler with the steps of the spec, the lanes, and below them the plots, under one cursor.
function timeline(journal) {
  const trace = journal.trace, lanes = lanesOf(trace);
  const ruler = make('canvas', {id: 'ruler'});
  const canvas = make('canvas', {role: 'img', 'aria-label': summary(trace)});
  const holder = make('div', {id: 'lanes'}, canvas);
  const cursor = make('div', {id: 'cursor', hidden: true}), brush = make('div', {id: 'brush', hidden: true});
  const plots = make('div', {id: 'plots'}), below = make('div', {class: 'other'});
  const stage = make('div', {id: 'stage', tabindex: 0, role: 'application', 'aria-label': 'Timeline. Arrow keys move it, plus and minus zoom, 0 shows all.'}, ruler, holder, plots, below, brush, cursor);
  const at = make('span', {class: 'soft'});
  const button = (text, title, act) => make('button', {title, onclick: act}, text);
  const tools = make('div', {class: 'tools'}, button('−', 'Zoom out ( - )', () => zoom(2)), button('+', 'Zoom in ( + )', () => zoom(.5)), button('◀', 'Earlier ( ← )', () => pan(-.3)),
    button('▶', 'Later ( → )', () => pan(.3)), button('All', 'Show all ( 0 )', showAll), at);
  Object.assign(view, {length: Math.max(trace.length, 1), cursor: null, chosen: -1, marked: new Set(), watchers: []});
  holder.dataset.lanes = JSON.stringify(lanes.map(l => [l.label, l.y, l.height])); // for those who look for a lane from outside
  let left = gutter(), whole = 1; // asked for once a picture: that is slow
  const measure = () => { left = gutter(); whole = stage.clientWidth; };
  const width = () => whole;
  const x = t => left + (t - view.from) / (view.to - view.from) * (whole - left);
  const t = px => view.from + (px - left) / (whole - left) * (view.to - view.from);
  let drawn = plotsOf(journal, plots, {x, t, width}), key = legend(trace);
  watch(what => {
    measure();
    if (what.has('range') || what.has('chosen')) {
      holder.dataset.gutter = gutter();
      paint(ruler, width(), 46, c => drawRuler(c, trace, width(), x));
      paint(canvas, width(), lanes.height, c => { shade(c, trace, lanes.height, x, true); drawLanes(c, lanes, width(), x); });
    }
    const px = view.cursor == null ? -1 : x(view.cursor);
    cursor.hidden = px < gutter() || px > width();
    cursor.style.left = px + 'px';
    const step = (view.to - view.from) / 800;
    const now = view.cursor == null ? '' : moment(view.cursor, step) + ' · ';
    at.textContent = now + (isWhole() ? `all ${span(view.length)}` : `${moment(Math.max(0, view.from), step)} to ${moment(Math.min(view.to, view.length), step)} of ${span(view.length)}`);
    drawn(what);
    if (!other) return;
    const height = other.lanes.height;
    if (what.has('range')) paint(other.canvas, width(), height, c => { shade(c, other.trace, height, x, true); drawLanes(c, other.lanes, width(), x); });
    other.drawn(what);
  });
  handle(stage, holder, canvas, brush, {x, t, lanes, drawn: {at: e => drawn.at(e)}, trace});
  let before = 0;
  const size = new ResizeObserver(() => { if (stage.clientWidth !== before) { before = stage.clientWidth; tell('range'); } });
  size.observe(stage);
  // compare shows the lanes and plots of another journal below, on the same axis and under the same cursor; null ends that.
  let other = null;
  const compare = (journal, name) => {
    other?.drawn.end();
    below.replaceChildren();
    other = null;
    if (journal) {
      const canvas = make('canvas', {role: 'img', 'aria-label': summary(journal.trace)}), plots = make('div');
      below.append(make('h4', {}, name, make('span', {}, summary(journal.trace))), canvas, plots);
      other = {trace: journal.trace, lanes: lanesOf(journal.trace), canvas, drawn: plotsOf(journal, plots, {x, t, width})};
      below.dataset.lanes = JSON.stringify(other.lanes.map(l => l.label));
    }
    view.length = Math.max(trace.length, other?.trace.length || 0, 1);
    showAll();
  };
  // renew shows a later trace of a journal that goes on.
  const renew = next => {
    Object.assign(trace, next);
    const fresh = lanesOf(trace);
    lanes.splice(0, lanes.length, ...fresh);
    lanes.height = fresh.height;
    holder.dataset.lanes = JSON.stringify(lanes.map(l => [l.label, l.y, l.height]));
    canvas.setAttribute('aria-label', summary(trace));
    const later = legend(trace);
    key.replaceWith(later);
    key = later;
    drawn.end();
    plots.replaceChildren();
    drawn = plotsOf(journal, plots, {x, t, width});
    drawn(new Set(['range']));
    view.length = Math.max(trace.length, 1);
    tell('range');
  };
  return {renew, compare, element: make('div', {}, tools, key, stage,
    make('p', {class: 'soft hint'}, matchMedia('(pointer: coarse)').matches ?
      'Drag sideways to move, pinch to zoom. A tap chooses an event and copies its line of the journal.' : 'Drag to zoom, double-click to show all. Shift-drag moves. Ctrl and the wheel zoom. A click chooses an event and copies its line of the journal. Keys: ← → + − 0, and [ ] for the event before and after.')), end: () => { size.disconnect(); other?.drawn.end(); }};
}

function summary(trace) {
  const ops = trace.clients.reduce((n, l) => n + l.spans.length, 0);
  return `${trace.nodes.length} nodes, ${number(trace.at.length)} events of which ${number(ops)} are operations, in ${span(trace.length)}`;
}

// paint draws on a canvas in the units of the style sheet, at the resolution of the screen.
function paint(canvas, width, height, draw) {
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = height + 'px';
  }
  const c = canvas.getContext('2d');
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, height);
  draw(c);
}

function drawRuler(c, trace, width, x) {
  c.font = '11px system-ui, sans-serif';
  c.textBaseline = 'middle';
  const room = narrow() ? 70 : 90, raw = (view.to - view.from) * room / (width - gutter()), power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find(m => m * power >= raw);
  for (let at = Math.ceil(Math.max(0, view.from) / step) * step; at <= Math.min(view.to, view.length); at += step) {
    const px = x(at);
    c.fillStyle = colour('line');
    c.fillRect(px, 16, 1, 6);
    c.fillStyle = colour('soft');
    c.textAlign = px > width - 40 ? 'end' : px < gutter() + 24 ? 'start' : 'center';
    c.fillText(moment(Math.round(at), step), px, 9);
  }
  c.textAlign = 'start';
  c.fillStyle = colour('soft');
  c.fillText('time', 8, 9);
  if (!trace.steps.length) c.fillText('no steps', 8, 34);
  else c.fillText('steps', 8, 34);
  c.save();
  c.beginPath();
  c.rect(gutter(), 0, width - gutter(), 46);
  c.clip();
  trace.steps.forEach((s, i) => {
    const from = Math.max(x(s.from), gutter()), to = Math.min(x(s.to), width);
    if (to < gutter() || from > width) return;
    c.fillStyle = colour(i % 2 ? 'panel' : 'grid');
    c.fillRect(from, 24, Math.max(to - from, 1), 20);
    c.fillStyle = colour('accent');
    c.fillRect(x(s.from), 22, 2, 22);
    c.fillStyle = colour('text');
    const text = cut(c, `${i + 1} ${s.text}`, to - from - 10);
    if (text) c.fillText(text, from + 6, 35);
  });
  if (trace.failed >= 0) {
    c.fillStyle = colour('failed');
    c.fillRect(x(trace.failed) - 1, 0, 2, 46);
    const px = x(trace.failed), end = px > width - 50;
    c.textAlign = end ? 'end' : 'start';
    c.clearRect(end ? px - 40 : px + 2, 0, 38, 17);
    c.fillText('failed', end ? px - 4 : px + 4, 9);
    c.textAlign = 'start';
  }
  c.restore();
}

// shade draws the steps and the moment of failure; in plots also when nodes are away and what is at fault.
function shade(c, trace, height, x, lanesOnly) {
  if (!lanesOnly) {
    c.globalAlpha = .13;
    for (const n of trace.nodes) for (const s of n.away) band(c, s, modeColours[s.is] || 'stop', height, x);
    for (const l of trace.faults) for (const s of l.spans) band(c, s, l.kind, height, x);
    c.globalAlpha = 1;
  }
  c.fillStyle = colour('line');
  for (const s of trace.steps) c.fillRect(x(s.from), 0, 1, height);
  if (trace.failed >= 0) {
    c.fillStyle = colour('failed');
    c.fillRect(x(trace.failed) - 1, 0, 2, height);
  }
}
function band(c, s, name, height, x) {
  const from = Math.max(x(s.from), gutter()), to = x(s.to);
  if (to < gutter()) return;
  c.fillStyle = colour(name);
  c.fillRect(from, 0, Math.max(to - from, 1), height);
}

function legend(trace) {
  const used = (list, f) => [...new Set(list.flatMap(f))];
  const item = (name, text, pattern) => make('span', {}, make('i', {style: pattern ? `background:repeating-linear-gradient(135deg,var(--${name}) 0 2px,transparent 2px 4px);border:1px solid var(--${name})` : `background:var(--${name})`}), text);
  const parts = used(trace.nodes, n => n.health.map(s => s.is)).map(h => item(healthColours[h] || 'offline', h));
  parts.push(...used(trace.nodes, n => n.away.map(s => s.is)).map(m => item(modeColours[m] || 'stop', 'away: ' + m, true)));
  parts.push(item('leader', 'leader'));
  if (trace.nodes.some(n => n.roles.some(s => s.is === 'candidate'))) parts.push(item('candidate', 'candidate'));
  parts.push(...used(trace.nodes, n => n.marks.map(s => s.is)).map(m => make('span', {}, `${markSigns[m]} ${markWords[m]}`)));
  const words = {ok: 'operation that is ok (a read is half as high)', failed: 'failed operation', unknown: 'operation of unknown outcome'};
  const seen = used(trace.clients, l => l.spans.map(s => s.is));
  parts.push(...outcomes.filter(is => seen.includes(is)).map(is => item(is, words[is], is === 'unknown')));
  if (trace.waits.length) parts.push(item('wait', 'the harness waits'));
  return make('div', {class: 'legend'}, parts);
}
