// The network: a picture of who reaches whom, faults of single links, and shapes of partitions.
const CLIENTS = '-1';
const treatments = [['Cut', 'Every message is lost', {action: 'drop'}], ['Refuse', 'Connections are reset, and new ones fail at once', {action: 'refuse'}], ['Slow', 'Every message takes 100 ms', {latency: '100ms', jitter: '20ms'}],
  ['Lossy', 'A third of all messages is lost and sent again', {loss: .33}], ['Narrow', '8 KiB a second', {bandwidth: 8192}]];

function networkPanel() {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const from = select('Link from', []), to = select('Link to', []), both = make('input', {type: 'checkbox', checked: true});
  const said = make('p', {class: 'said', role: 'status', hidden: true}), faults = make('ul', {class: 'faults'}), shapes = make('span', {class: 'shapes'});
  const link = () => ({from: Number(from.value), to: Number(to.value), both: both.checked});
  const needs = ['degrade single links'];
  const single = treatments.map(([text, title, rule]) => button(text, title, 'link/' + text, needs, () => ({do: 'link', ...link(), rule})));
  single.push(button('Disorderly', 'Packets are doubled and overtake each other', 'link/disorderly', ['degrade single links', 'duplicate and reorder packets'], () => ({do: 'link', ...link(), rule: {duplicate: .2, reorder: .2}})),
    button('Reset', 'The next message is cut in half, and its connection reset', 'link/reset', needs, () => ({do: 'reset', ...link()})),
    button('Flapping', 'Cut and mended in turn, every second, until the cluster is healed', 'link/flap', needs, () => ({do: 'flap', ...link(), every: '1s'})),
    button('Sound', 'Mends this link', 'link/sound', needs, () => ({do: 'link', ...link()})));
  const leader = button('Isolate the leader', 'From all other nodes. Clients reach it', 'shape/leader', needs, () => ({do: 'isolate leader'}));
  const ring = button('Ring', 'Each node reaches its two neighbours only', 'shape/ring', needs, () => ({do: 'ring'}));
  const mend = button('Mend all links', '', 'shape/mend', needs, () => ({do: 'mend links'}));
  document.getElementById('network').append(make('h2', {}, 'Network'), make('div', {class: 'net'}, svg, make('div', {},
    make('div', {class: 'group'}, make('span', {class: 'soft name'}, 'link'), make('span', {class: 'joined'}, from, make('span', {class: 'arrow'}, '→'), to), make('label', {class: 'soft'}, both, ' both ways')),
    make('div', {class: 'group'}, make('span', {class: 'soft name'}, 'make it'), single),
    make('div', {class: 'group'}, make('span', {class: 'soft name'}, 'cut off'), shapes, leader, ring, mend), said)), make('h3', {}, 'Faults in force'), faults);
  let places = '', drawn = '', listed = '';
  const show = state => {
    const ids = state.nodes.map(n => n.index);
    if (places !== ids.join()) {
      places = ids.join();
      for (const [s, other] of [[from, 0], [to, 1]]) {
        const was = s.value;
        s.replaceChildren(...ids.map(i => make('option', {value: i}, 'node ' + i)), make('option', {value: CLIENTS}, 'clients'));
        s.value = [...s.options].some(o => o.value === was) ? was : String(ids[Math.min(other, ids.length - 1)]);
      }
      shapes.buttons = ids.length < 2 ? [] : halves(ids).map(groups => button(groups.map(g => g.join(' ')).join(' | '), 'Cuts these groups of nodes off from each other', 'shape/' + groups.join('|'), needs, () => ({do: 'partition', groups})));
      shapes.replaceChildren(...shapes.buttons);
    }
    for (const b of [...single, ...shapes.buttons, leader, mend]) b.show(state);
    ring.show(state, undefined, ids.length < 4);
    if (ids.length < 4 && !ring.disabled) ring.title = 'A ring needs four nodes';
    outcome(said, state, 'network');
    const picture = JSON.stringify([state.nodes.map(n => [n.index, n.health, n.mode, n.role]), state.faults, from.value, to.value]);
    if (picture !== drawn) draw(svg, state, from, to, () => { drawn = ''; show(state); });
    drawn = picture;
    const now = JSON.stringify(state.faults);
    if (now !== listed) faults.replaceChildren(...state.faults.length ? state.faults.map(f => make('li', {}, f.text, f.undo && make('button', {type: 'button', title: 'Undo it', 'aria-label': 'Undo: ' + f.text, onclick: () => act(f.undo, 'undo/' + f.text)}, '×'))) : [make('li', {class: 'soft'}, 'none')]);
    listed = now;
  };
  from.onchange = to.onchange = () => { drawn = ''; if (latestState) show(latestState); };
  return show;
}

// halves are partitions into two: one node alone, or for many nodes also the halves.
function halves(ids) {
  const alone = ids.slice(0, 5).map(i => [[i], ids.filter(j => j !== i)]), middle = Math.ceil(ids.length / 2);
  if (ids.length > 3) alone.push([ids.slice(0, middle), ids.slice(middle)]);
  return ids.length === 2 ? alone.slice(0, 1) : alone;
}

function shape(tag, attributes, ...inside) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element[name] = value;
    else if (value != null && value !== false) element.setAttribute(name, value);
  }
  element.append(...inside);
  return element;
}

// draw draws the nodes in a circle, with the clients in its middle. A click on two of them chooses a link.
function draw(svg, state, from, to, again) {
  const size = 260, middle = size / 2, radius = 96, count = state.nodes.length;
  const at = new Map(state.nodes.map((n, i) => { const a = -Math.PI / 2 + 2 * Math.PI * i / count; return [n.index, [middle + radius * Math.cos(a), middle + radius * Math.sin(a)]]; }));
  at.set(-1, [middle, middle + (count === 2 ? 60 : 4)]);
  const gone = new Set(state.nodes.filter(n => n.mode).map(n => n.index));
  const rules = new Map(state.faults.filter(f => f.link).map(f => [f.link.join('>'), f]));
  const lines = [], places = [...at.keys()];
  for (const a of places) for (const b of places) {
    if (a === b) continue;
    const [x1, y1] = at.get(a), [x2, y2] = at.get(b), far = Math.hypot(x2 - x1, y2 - y1), ux = (x2 - x1) / far, uy = (y2 - y1) / far, off = 4;
    const rule = rules.get(a + '>' + b), chosen = String(a) === from.value && String(b) === to.value, clients = a === -1 || b === -1;
    const kind = gone.has(a) || gone.has(b) ? 'gone' : rule ? rule.cut ? 'cut' : 'ruled' : 'sound';
    if (clients && kind === 'sound' && !chosen && count > 5) continue;
    const p = {x1: x1 + ux * 24 - uy * off, y1: y1 + uy * 24 + ux * off, x2: x2 - ux * 27 - uy * off, y2: y2 - uy * 27 + ux * off};
    const words = `${a === -1 ? 'clients' : 'node ' + a} to ${b === -1 ? 'clients' : 'node ' + b}: ${kind === 'gone' ? 'a node is away' : rule ? rule.text.replace(/^link \S+ /, '') : 'sound'}`;
    lines.push(shape('g', {class: `edge ${kind} ${clients ? 'clients' : ''} ${chosen ? 'chosen' : ''}`}, shape('title', {}, words), shape('line', p), shape('path', {d: head(p, ux, uy)}),
      ...kind === 'cut' ? [shape('text', {x: (p.x1 + p.x2) / 2, y: (p.y1 + p.y2) / 2 + 5}, '✕')] : []));
  }
  const nodes = places.map(i => {
    const [x, y] = at.get(i), n = state.nodes.find(n => n.index === i);
    const choose = () => { if (from.value === String(i)) return; if (svg.first) { to.value = String(i); } else { if (to.value === String(i)) to.value = from.value; from.value = String(i); } svg.first = !svg.first; again(); };
    return shape('g', {class: `place ${n ? n.mode || n.health : 'clients'} ${n?.role === 'leader' && !n.mode ? 'leader' : ''}`, tabindex: 0, role: 'button', 'aria-label': (n ? 'node ' + i : 'clients') + ': choose it as an end of a link', onclick: choose,
      onkeydown: e => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); choose(); } }},
    shape('title', {}, n ? `node ${i}: ${n.mode ? past[n.mode] : n.health}${n.role === 'leader' && !n.mode ? ', leader' : ''}` : 'clients'),
    shape('circle', {cx: x, cy: y, r: n ? 20 : 15}), shape('text', {x, y: y + (n ? 5 : 3.5)}, n ? String(i) : 'clients'));
  });
  const held = svg.contains(document.activeElement) ? [...svg.querySelectorAll('.place')].indexOf(document.activeElement) : -1;
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
  svg.setAttribute('aria-label', 'Who reaches whom');
  svg.replaceChildren(...lines, ...nodes);
  if (held >= 0) svg.querySelectorAll('.place')[held]?.focus();
}

function head({x2, y2}, ux, uy) {
  const l = 6, w = 3.5;
  return `M${x2} ${y2}L${x2 - ux * l - uy * w} ${y2 - uy * l + ux * w}L${x2 - ux * l + uy * w} ${y2 - uy * l - ux * w}Z`;
}
