// Messages between nodes as a space-time diagram, for the time in view: a line a node, and for each call a line to the other node and
// back. When the call arrived is not known: it is drawn in the middle.
const mostDrawn = 400;

function messagesOf(trace) {
  const all = trace.messages || [];
  if (!all.length) return '';
  const canvas = make('canvas', {role: 'img', 'aria-label': 'Messages between nodes over time'}), caption = make('span', {class: 'soft'});
  const row = 44, height = trace.nodes.length * row + 10, y = node => node * row + row / 2 + 4;
  const usual = all.map(m => trace.took[m.event]).sort((a, b) => a - b)[all.length >> 1];
  const is = m => m.lost ? 'failed' : trace.took[m.event] > 3 * usual ? 'unknown' : 'accent';
  let drawn = [];
  const draw = () => {
    const width = canvas.parentElement?.clientWidth || 600, x = t => gutter() + (t - view.from) / (view.to - view.from) * (width - gutter());
    const seen = all.filter(m => trace.at[m.event] + trace.took[m.event] >= view.from && trace.at[m.event] <= view.to);
    drawn = [];
    paint(canvas, width, height, c => {
      c.font = '12px system-ui, sans-serif';
      c.textBaseline = 'middle';
      for (const n of trace.nodes) {
        c.fillStyle = colour('text');
        c.fillText('node ' + n.index, 8, y(n.index));
        c.fillStyle = colour('line');
        c.fillRect(gutter(), y(n.index), width - gutter(), 1.5);
        for (const s of n.away) {
          const from = Math.max(gutter(), x(s.from));
          c.fillStyle = hatch(c, modeColours[s.is] || 'stop');
          c.fillRect(from, y(n.index) - 4, Math.max(0, Math.min(width, x(s.to)) - from), 9);
        }
      }
      c.save();
      c.beginPath();
      c.rect(gutter(), 0, width - gutter(), height);
      c.clip();
      for (const m of seen.slice(0, mostDrawn)) drawMessage(c, m, x, y, is(m), trace, drawn);
      c.restore();
      c.globalAlpha = 1;
      c.setLineDash([]);
    });
    caption.textContent = seen.length > mostDrawn ? `the first ${mostDrawn} of ${number(seen.length)} messages in view: zoom in for the others`
      : `${number(seen.length)} messages in view; the journal has the last ${number(all.length)}, from ${moment(trace.at[all[0].event], 1e6)} on`;
  };
  const near = e => {
    const box = canvas.getBoundingClientRect(), px = e.clientX - box.left, py = e.clientY - box.top;
    let best = null, distance = 9;
    for (const [ax, ay, bx, by, event] of drawn) {
      const l = (bx - ax) ** 2 + (by - ay) ** 2 || 1, t = Math.max(0, Math.min(1, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / l));
      const d = Math.hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay));
      if (d < distance) { best = event; distance = d; }
    }
    return best;
  };
  canvas.onpointermove = e => { const event = near(e); tip(e, event == null ? null : {span: {event, from: trace.at[event], to: trace.at[event] + trace.took[event]}, words: 'message'}); };
  canvas.onpointerleave = e => tip(e, null);
  canvas.onclick = e => { const event = near(e); if (event != null) choose(event, false); };
  const lost = all.filter(m => m.lost).at(-1), last = () => { const at = trace.at[(lost || all.at(-1)).event]; show(at - 20 * usual, at + 20 * usual); };
  const key = make('div', {class: 'legend'}, [['accent', 'a call and its answer'], ['unknown', 'late: over three times the usual ' + span(usual)], ['failed', 'lost: no answer came']]
    .map(([name, text]) => make('span', {}, make('i', {style: `background:var(--${name})`}), text)));
  watch(what => { if (what.has('range') || what.has('chosen')) draw(); });
  return make('section', {id: 'messages'}, make('h3', {}, 'Messages between nodes'), make('div', {class: 'tools'}, make('button', {onclick: last}, `Zoom to the last one${lost ? ' that was lost' : ''}`), caption), key, make('div', {class: 'diagram'}, canvas),
    make('p', {class: 'soft hint'}, 'When a call arrived is not known: it is drawn in the middle of its round trip.'));
}

function drawMessage(c, m, x, y, name, trace, drawn) {
  const from = x(trace.at[m.event]), to = x(trace.at[m.event] + trace.took[m.event]), middle = (from + to) / 2, chosen = view.chosen === m.event;
  c.strokeStyle = colour(name);
  c.lineWidth = chosen ? 3 : 1.2;
  c.globalAlpha = name === 'accent' && !chosen ? .65 : 1;
  c.setLineDash(m.lost ? [4, 3] : []);
  c.beginPath();
  c.moveTo(from, y(m.from));
  if (m.lost) {
    const px = from + Math.min(40, (middle - from) * .8), py = y(m.from) + (y(m.to) - y(m.from)) * .6;
    c.lineTo(px, py);
    c.stroke();
    c.setLineDash([]);
    c.beginPath();
    c.moveTo(px - 4, py - 4); c.lineTo(px + 4, py + 4); c.moveTo(px + 4, py - 4); c.lineTo(px - 4, py + 4);
  } else { c.lineTo(middle, y(m.to)); c.lineTo(to, y(m.from)); }
  c.stroke();
  drawn.push([from, y(m.from), m.lost ? from + Math.min(40, (middle - from) * .8) : middle, m.lost ? y(m.from) + (y(m.to) - y(m.from)) * .6 : y(m.to), m.event]);
}
