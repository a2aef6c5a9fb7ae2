// cycleOf is a cycle of transactions as a graph: a circle for each, and an arrow for each dependency. A click marks the transaction in the timeline.
function cycleOf(edges, journal) {
  const n = edges.length, radius = 26, room = 60 + 16 * n, width = 2 * room + 160, height = 2 * room + 40;
  const space = new Range().createContextualFragment('<svg></svg>').firstChild.namespaceURI;
  const svg = (tag, attributes, ...inside) => {
    const node = document.createElementNS(space, tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...inside);
    return node;
  };
  const place = i => { const a = 2 * Math.PI * i / n - Math.PI / 2; return [width / 2 + room * Math.cos(a), height / 2 + (room - 20) * Math.sin(a)]; };
  const graph = svg('svg', {viewBox: `0 0 ${width} ${height}`, width, height, class: 'cycle', role: 'img', 'aria-label': edges.map(e => e.text).join('; ')});
  edges.forEach((e, i) => {
    const [x1, y1] = place(i), [x2, y2] = place((i + 1) % n), long = Math.hypot(x2 - x1, y2 - y1) || 1;
    const ux = (x2 - x1) / long, uy = (y2 - y1) / long, bend = n === 2 ? 34 : 14;
    const mx = (x1 + x2) / 2 - uy * bend, my = (y1 + y2) / 2 + ux * bend;
    const to = [x2 - ux * (radius + 4) - uy * 6, y2 - uy * (radius + 4) + ux * 6], from = [x1 + ux * radius - uy * 6, y1 + uy * radius + ux * 6];
    const a = Math.atan2(to[1] - my, to[0] - mx), tip = s => `${to[0] - 9 * Math.cos(a + s)},${to[1] - 9 * Math.sin(a + s)}`;
    graph.append(svg('g', {class: 'edge ' + e.kind}, svg('title', {}, e.text), svg('path', {d: `M${from} Q${mx},${my} ${to}`}),
      svg('polygon', {points: `${to} ${tip(.4)} ${tip(-.4)}`}), svg('text', {x: mx - uy * 8, y: my + ux * 8 + 4}, e.kind)));
  });
  edges.forEach((e, i) => {
    const [x, y] = place(i), known = e.event >= 0;
    const node = svg('g', {class: 'transaction', ...(known ? {tabindex: 0, role: 'button'} : {})}, svg('title', {}, known ? cutText(journal.trace.words[e.event], 400) : e.name),
      svg('circle', {cx: x, cy: y, r: radius}), svg('text', {x, y: y + 5}, e.name));
    if (known) {
      node.onclick = () => mark([e.event], journal);
      node.onkeydown = k => { if (k.key === 'Enter' || k.key === ' ') { k.preventDefault(); mark([e.event], journal); } };
    }
    graph.append(node);
  });
  return make('figure', {class: 'cycle'}, graph, make('figcaption', {class: 'soft'}, 'wr: read what the other wrote; ww: overwrote it; rw: did not see what the other wrote; rt: had ended when the other began'));
}
