// Plots on the axis of the timeline.
const outcomes = ['ok', 'failed', 'unknown'];
const nodeColour = i => colour('node' + i % 7);

// plotsOf adds the plots to an element, and returns what draws them again and what is under the pointer.
function plotsOf(journal, parent, {x, t, width}) {
  const trace = journal.trace;
  const ops = trace.clients.flatMap(l => l.spans).filter(s => !s.text?.startsWith('under way')).sort((a, b) => a.from - b.from);
  for (const s of ops) s.took = Math.max((s.to - s.from) / 1e6, 0.001); // ms
  ops.longest = ops.reduce((most, s) => Math.max(most, s.to - s.from), 0);
  const plots = [];
  if (ops.length) plots.push(...overOperations(ops));
  const sampled = (field, title, text) => {
    const nodes = trace.nodes.filter(n => n.samples[field]?.some(v => v > 0));
    if (nodes.length) plots.push(progress(nodes, field, title, text, trace));
  };
  sampled('applied', 'Applied index of each node', number);
  sampled('behind', 'Entries behind what was committed', number);
  sampled('log', 'Entries in the log', number);
  sampled('memory', 'Memory of each node', v => (v / 2 ** 20).toFixed(1) + ' MiB');
  for (const p of plots) {
    p.reading = make('i', {class: 'soft'});
    p.holder = make('div');
    parent.append(make('h4', {}, p.title, p.key || '', p.reading), p.holder);
  }
  const draw = what => {
    const range = what.has('range') || what.has('chosen');
    for (const p of plots) {
      if (range) {
        p.prepare?.(width());
        const size = {width: width(), height: p.height};
        if (!p.u) p.u = new uPlot({...options(p, trace, x), ...size}, p.data(), p.holder);
        else {
          if (p.u.width !== size.width || p.u.height !== size.height) p.u.setSize(size);
          if (p.prepare) p.u.setData(p.data(), false);
          p.u.setScale('x', {min: view.from, max: view.to});
          p.u.redraw(Boolean(p.prepare));
        }
      }
      p.reading.textContent = view.cursor == null ? '' : p.read(view.cursor);
    }
  };
  draw.end = () => { for (const p of plots) p.u?.destroy(); };
  draw.at = e => {
    const p = plots[0];
    if (!p?.u || !ops.length || !p.holder.contains(e.target)) return null;
    const box = p.u.over.getBoundingClientRect(), px = e.clientX - box.left, py = e.clientY - box.top;
    let best = null, distance = 8;
    const from = t(px + gutter() - 8), to = t(px + gutter() + 8);
    for (let i = firstFrom(ops, from); i < ops.length && ops[i].from <= to; i++) {
      const d = Math.hypot(x(ops[i].from) - gutter() - px, p.u.valToPos(ops[i].took, 'y') - py);
      if (d < distance) { best = ops[i]; distance = d; }
    }
    return best && {span: best, words: `operation, ${best.is}`};
  };
  return draw;
}

function firstFrom(ops, at) {
  let low = 0, high = ops.length;
  while (low < high) { const m = (low + high) >> 1; if (ops[m].from < at) low = m + 1; else high = m; }
  return low;
}

function options(p, trace, x) {
  const font = '11px system-ui, sans-serif', grid = {stroke: () => colour('grid'), width: 1};
  return {
    legend: {show: false}, cursor: {show: false}, select: {show: false}, padding: [8, 0, 0, 0],
    scales: {x: {time: false, range: () => [view.from, view.to]}, y: p.scale},
    axes: [{size: 6, values: () => [], ticks: {show: false}, grid, font, space: 90},
      {size: gutter, stroke: () => colour('soft'), grid, ticks: {show: false}, font, values: (u, all) => all.map(v => v == null ? '' : p.tick(v)), ...(p.splits ? {splits: p.splits, filter: (u, all) => all} : {})}],
    series: [{}, ...p.series()],
    hooks: {drawClear: [u => onCanvas(u, c => shade(c, trace, u.height, at => x(at)))], draw: p.draw ? [u => onCanvas(u, c => p.draw(u, c, x))] : []},
  };
}

// onCanvas draws inside a plot, in the units of the style sheet.
function onCanvas(u, draw) {
  const c = u.ctx, ratio = devicePixelRatio || 1;
  c.save();
  c.beginPath();
  c.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  c.clip();
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  draw(c);
  c.restore();
}

// binned counts operations in view by the moment at which they ended, and keeps how long those took that are ok, in order.
function binned(ops, width) {
  const count = Math.max(20, Math.min(160, Math.round((width - gutter()) / 7)));
  const from = Math.max(0, view.from), size = (Math.min(view.to, view.length) - from) / count;
  const bins = Array.from({length: count}, (_, i) => ({at: from + (i + .5) * size, ok: 0, failed: 0, unknown: 0}));
  const first = firstFrom(ops, from - ops.longest);
  const each = f => { for (let i = first; i < ops.length && ops[i].from <= view.to; i++) { const b = bins[Math.floor((ops[i].to - from) / size)]; if (b) f(b, ops[i]); } };
  each((b, s) => { b[s.is]++; });
  for (const b of bins) { b.took = new Float64Array(b.ok); b.filled = 0; }
  each((b, s) => { if (s.is === 'ok') b.took[b.filled++] = s.took; });
  for (const b of bins) b.took.sort();
  bins.size = size;
  return bins;
}
const quantile = (sorted, q) => sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] : null;
const binAt = (bins, at) => bins.find(b => Math.abs(b.at - at) <= bins.size / 2);

// overOperations are the plots of latency and of the rate. They share their bins.
function overOperations(ops) {
  const shared = {bins: []}, byOutcome = outcomes.map(is => ops.filter(s => s.is === is));
  return [latency(ops, byOutcome, shared), rate(shared)];
}

function latency(ops, byOutcome, shared) {
  let low = Infinity, high = 0;
  for (const s of ops) { low = Math.min(low, s.took); high = Math.max(high, s.took); }
  const powers = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high) + 1e-9); p++) powers.push(p);
  if (powers.length === 1) powers.push(powers[0] + 1);
  const values = powers.map(p => Number((10 ** p).toPrecision(1)));
  return {
    title: 'Latency of operations', height: narrow() ? 170 : 210, tick: v => span(v * 1e6), splits: () => values,
    scale: {distr: 3, range: () => [values[0], values.at(-1)]},
    key: make('span', {}, 'a dot an operation, by outcome; lines are p50 (thin) and p99 (thick) of those that are ok'),
    prepare: width => { shared.bins = binned(ops, width); },
    data: () => [shared.bins.map(b => b.at), shared.bins.map(b => quantile(b.took, .5)), shared.bins.map(b => quantile(b.took, .99))],
    series: () => [.5, .99].map(q => ({stroke: () => colour('soft'), width: q > .9 ? 2 : 1, spanGaps: false, points: {show: false}})),
    read: at => {
      const {bins} = shared, bin = binAt(bins, at);
      if (!bin?.took.length) return bin ? 'no operation ended ok here' : '';
      return `p50 ${span(quantile(bin.took, .5) * 1e6)}, p99 ${span(quantile(bin.took, .99) * 1e6)} of ${bin.took.length} in ${span(bins.size)}`;
    },
    draw: (u, c, x) => {
      const ratio = devicePixelRatio || 1, top = u.bbox.top / ratio, height = u.bbox.height / ratio, width = Math.ceil(u.bbox.width / ratio), left = gutter();
      const la = Math.log10(values[0]), lb = Math.log10(values.at(-1)), size = ops.length > 20000 ? 2 : ops.length > 3000 ? 3 : 4, step = size > 2 ? 1 : 2;
      const seen = new Uint8Array((width + 1) * (Math.ceil(height) + 1));
      byOutcome.forEach((list, k) => {
        const grown = k ? size + 1 : size;
        c.fillStyle = colour(outcomes[k]);
        for (let i = firstFrom(list, view.from); i < list.length && list[i].from <= view.to; i++) {
          const s = list[i], px = x(s.from), up = (Math.log10(s.took) - la) / (lb - la) * height;
          if (view.marked.has(s.event) || view.chosen === s.event) { c.strokeStyle = colour('text'); c.lineWidth = 1.5; c.strokeRect(px - 5, top + height - up - 5, 10, 10); }
          const spot = Math.floor((px - left) / step) * (Math.ceil(height) + 1) + Math.floor(up / step);
          if (seen[spot] > k) continue; // a dot of this outcome is there already
          seen[spot] = k + 1;
          c.fillRect(px - grown / 2, top + height - up - grown / 2, grown, grown);
        }
      });
    },
  };
}

function rate(shared) {
  return {
    title: 'Operations a second', height: narrow() ? 100 : 110, tick: v => short(v), scale: {range: (u, a, b) => [0, Math.max(1, b * 1.08)]},
    key: make('span', {}, 'that ended ok, failed, or with an unknown outcome'),
    prepare: () => {}, // the plot of latency does
    data: () => [shared.bins.map(b => b.at), ...outcomes.map(is => shared.bins.map(b => b[is] / shared.bins.size * 1e9))],
    series: () => outcomes.map(is => ({stroke: () => colour(is), width: 1.5, fill: is === 'ok' ? () => colour('ok') + '22' : undefined, points: {show: false}, paths: uPlot.paths.stepped({align: 0})})),
    read: at => {
      const {bins} = shared, bin = binAt(bins, at);
      return bin ? outcomes.map(is => `${is} ${short(bin[is] / bins.size * 1e9)}`).join(', ') + ' a second' : '';
    },
  };
}

function progress(nodes, field, title, words, trace) {
  const table = uPlot.join(nodes.map(n => { // of samples at one moment the last one counts
    const at = [], values = [];
    n.samples.at.forEach((a, i) => { if (at.at(-1) === a) values[values.length - 1] = n.samples[field][i]; else { at.push(a); values.push(n.samples[field][i]); } });
    return [[...at, trace.length + 1], [...values, values.at(-1)]];
  }));
  return {
    title, height: narrow() ? 100 : 120, tick: words, scale: {range: (u, a, b) => [field === 'applied' ? Math.max(0, a - 1) : 0, Math.max(1, b * 1.06)]},
    key: make('span', {}, nodes.map(n => make('span', {style: `color:var(--node${n.index % 7})`}, `node ${n.index} `))),
    data: () => table,
    series: () => nodes.map((n, i) => ({stroke: () => nodeColour(n.index), width: Math.min(5, 1.1 * (nodes.length - i) + .4), spanGaps: true, points: {show: n.samples.at.length < 60, size: 5, fill: () => nodeColour(n.index)}, paths: uPlot.paths.stepped({align: 1})})),
    read: at => nodes.map((n, i) => {
      let k = firstFromList(table[0], at);
      while (k >= 0 && table[i + 1][k] == null) k--;
      return k >= 0 ? `node ${n.index}: ${words(table[i + 1][k])}` : '';
    }).filter(Boolean).join(', '),
  };
}

function firstFromList(list, at) { // the last index that is not after at
  let low = 0, high = list.length;
  while (low < high) { const m = (low + high) >> 1; if (list[m] <= at) low = m + 1; else high = m; }
  return low - 1;
}
