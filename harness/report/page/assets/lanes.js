// Lanes are drawn on a canvas. A row of a lane has spans in order that do not overlap; marks are moments.
const healthColours = {online: 'online', connecting: 'connecting', syncing: 'syncing', leaving: 'leaving', offline: 'offline', failed: 'failed-node'};
const modeColours = {isolate: 'isolate', crash: 'crash', stop: 'stop', pause: 'pause'};
const markWords = {restart: 'the node starts again', wipe: 'the disk is empty', joined: 'the node joins', removed: 'the node is removed', compacted: 'a snapshot replaced the beginning of the log', compared: 'the node was compared with others'};
const markSigns = {restart: '↻', wipe: '∅', joined: '+', removed: '×', compacted: '◆', compared: '='};

const narrow = () => innerWidth < 861;
const gutter = () => narrow() ? 74 : 118;

function lanesOf(trace) {
  const lanes = [];
  for (const n of trace.nodes) {
    lanes.push({label: 'node ' + n.index, group: 'nodes', height: 34, rows: [
      {spans: n.health, y: 3, height: 15, style: s => ({fill: healthColours[s.is] || 'offline', text: s.is === 'online' ? '' : s.is}), words: s => `node ${n.index} is ${s.is}`},
      {spans: n.away, y: 3, height: 15, style: s => ({hatch: modeColours[s.is] || 'stop', text: s.is}), words: s => `node ${n.index} is away: ${s.is}`},
      {spans: n.roles, y: 19, height: 11, style: s => s.is === 'leader' ? {fill: 'leader', text: s.text.replace(/,.*/, ''), ink: 'back'} : {fill: s.is === 'candidate' ? 'candidate' : 'follower', thin: s.is !== 'candidate'},
        words: s => `node ${n.index}: ${s.is || 'role not known'}, ${s.text}`},
      {spans: n.marks, y: 3, height: 15, marks: true, words: s => `node ${n.index}: ${markWords[s.is] || s.is}${s.text ? ': ' + s.text : ''}`},
    ]});
  }
  for (const l of trace.faults) {
    lanes.push({label: l.name, group: 'faults', height: 19, rows: [{spans: l.spans, y: 2, height: 14, style: s => ({fill: l.kind, text: s.text || s.is, ink: 'back'}), words: s => `${l.name}: ${s.text || s.is}`}]});
  }
  const clients = trace.clients.length, height = clients > 30 ? 9 : clients > 12 ? 12 : 15;
  for (const l of trace.clients) {
    lanes.push({label: l.name, group: 'clients', height, rows: [{spans: l.spans, y: 1, height: height - 3, rank: s => s.is === 'ok' ? 0 : s.is === 'failed' ? 1 : 2,
      style: s => ({fill: s.is, low: s.is === 'ok' && s.text !== 'change', hatch: s.is === 'unknown' ? 'unknown' : ''}), words: s => `${l.name}: ${s.text === 'change' ? 'a change' : 'a read'}, ${s.is}${s.text.startsWith('under') ? ', ' + s.text : ''}`}]});
  }
  for (const l of trace.waits) {
    lanes.push({label: l.name, group: 'waits', height: 13, rows: [{spans: l.spans, y: 1, height: 10, style: s => ({fill: s.is === 'failed' ? 'failed' : 'wait', text: s.text, ink: 'back'}),
      words: s => l.kind === 'poll' ? `polled until ${s.is === 'ok' ? 'it held' : 'the end, and it did not hold'}: ${s.text}` : s.text}]});
  }
  let y = 0, group = '';
  for (const lane of lanes) {
    if (group && lane.group !== group) { y += 7; lane.rule = true; }
    group = lane.group;
    lane.y = y;
    y += lane.height;
    for (const row of lane.rows) for (const s of row.spans) s.text ??= '';
  }
  lanes.height = y + 2;
  return lanes;
}

// firstIn finds the first span that ends at a time or after it.
function firstIn(spans, at) {
  let low = 0, high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle].to < at) low = middle + 1; else high = middle;
  }
  return low;
}

function drawLanes(c, lanes, width, x) {
  const left = gutter();
  c.save();
  c.beginPath();
  c.rect(left, 0, width - left, lanes.height);
  c.clip();
  for (const lane of lanes) for (const row of lane.rows) (row.marks ? drawMarks : drawRow)(c, row, lane.y, width, x);
  c.restore();
  c.font = '12px system-ui, sans-serif';
  c.textBaseline = 'middle';
  let group = '', before = '';
  for (const lane of lanes) {
    if (lane.rule) {
      c.fillStyle = colour('line');
      c.fillRect(0, lane.y - 4, width, 1);
    }
    if (lane.label !== before && lane.height > 8) {
      c.fillStyle = lane.group === 'nodes' ? colour('text') : colour('soft');
      c.font = lane.height < 12 ? '9px system-ui, sans-serif' : narrow() ? '11px system-ui, sans-serif' : '12px system-ui, sans-serif';
      const room = left - 12, label = c.measureText(lane.label).width > room ? lane.label.replace(/ … .*/, ' …') : lane.label;
      c.fillText(cut(c, label, room), 8, lane.y + lane.height / 2 - 1);
    }
    before = lane.label;
  }
}

function cut(c, text, room) {
  if (room < 14) return '';
  if (c.measureText(text).width <= room) return text;
  let n = Math.floor(text.length * room / c.measureText(text).width);
  while (n > 0 && c.measureText(text.slice(0, n) + '…').width > room) n--;
  return n > 1 ? text.slice(0, n) + '…' : '';
}

// drawRow draws what is in view. Of spans that fall on one pixel it draws the one that matters most.
function drawRow(c, row, top, width, x) {
  const y = top + row.y, left = gutter();
  let lastX = -1, lastRank = -1;
  for (let i = firstIn(row.spans, view.from); i < row.spans.length; i++) {
    const s = row.spans[i];
    if (s.from > view.to) break;
    const from = Math.max(x(s.from), -5), to = Math.min(x(s.to), width + 5), rank = row.rank ? row.rank(s) : 0;
    const wide = Math.max(to - from, 1.5), marked = view.marked.has(s.event) || view.chosen === s.event;
    if (to - from < 1 && Math.floor(from) === lastX && rank <= lastRank && !marked) continue;
    lastX = Math.floor(from);
    lastRank = rank;
    const style = row.style(s), half = style.low || style.thin ? Math.round(row.height / 2) : 0;
    c.fillStyle = style.hatch ? wide > 3 ? hatch(c, style.hatch) : colour(style.hatch) : colour(style.fill);
    c.fillRect(from, y + half, wide, row.height - half - (style.thin ? 2 : 0));
    if (style.hatch && wide > 3) {
      c.strokeStyle = colour(style.hatch);
      c.lineWidth = 1;
      c.strokeRect(from + .5, y + .5, wide - 1, row.height - 1);
    }
    if (wide > 5 && !style.thin && !style.hatch && row.height > 8) { // a thin edge tells neighbours of one colour apart
      c.fillStyle = colour('back');
      c.fillRect(to - .75, y, .75, row.height);
    }
    if (marked) {
      c.strokeStyle = colour('text');
      c.lineWidth = 2;
      c.strokeRect(from - 2, y - 1, wide + 4, row.height + 2);
    }
    const seen = Math.max(from, left);
    if (style.text && to - seen > 26) {
      c.font = `${Math.min(11, row.height + 1)}px system-ui, sans-serif`;
      c.textBaseline = 'middle';
      const text = cut(c, style.text, to - seen - 8);
      if (text && style.hatch) {
        c.fillStyle = colour('back');
        c.fillRect(seen + 2, y + 2, c.measureText(text).width + 5, row.height - 4);
      }
      c.fillStyle = colour(style.hatch || style.ink || 'text');
      if (text) c.fillText(text, seen + 4, y + row.height / 2 + .5);
    }
  }
}

function drawMarks(c, row, top, width, x) {
  c.font = 'bold 12px system-ui, sans-serif';
  c.textBaseline = 'middle';
  c.textAlign = 'center';
  let last = -100;
  for (const s of row.spans) {
    const at = x(s.from);
    if (at < 0 || at > width || s.is === 'compared' && at - last < 12) continue;
    last = at;
    c.fillStyle = colour('back');
    c.beginPath();
    c.arc(at, top + row.y + row.height / 2, 6.5, 0, 7);
    c.fill();
    c.fillStyle = colour('text');
    c.fillText(markSigns[s.is] || '•', at, top + row.y + row.height / 2 + .5);
  }
  c.textAlign = 'start';
}

// spanAt finds what is drawn at a place: marks before spans, and what is drawn last before what is below it.
function spanAt(lanes, px, py, x) {
  const lane = lanes.find(l => py >= l.y && py < l.y + l.height);
  if (!lane || px < gutter()) return null;
  for (const row of [...lane.rows].reverse()) {
    if (py < lane.y + row.y - 1 || py > lane.y + row.y + row.height + 1) continue;
    const near = row.marks ? 7 : 3;
    let best = null, distance = near;
    for (let i = row.marks ? 0 : Math.max(0, firstIn(row.spans, view.from) - 1); i < row.spans.length; i++) {
      const s = row.spans[i], from = x(s.from), to = Math.max(x(s.to), from + 1.5);
      if (from > px + near && !row.marks) break;
      const d = px < from ? from - px : px > to ? px - to : 0;
      if (d < distance || d === 0 && best && distance === 0) { best = s; distance = d; }
    }
    if (best) return {span: best, words: row.words(best)};
  }
  return null;
}
