// A card a node: what it reports, the faults that can be made of it, and SQL.
const modes = [['isolate', 'Isolate', 'Cuts all its links, to nodes and clients. It keeps running, alone', 'isolate nodes'], ['stop', 'Stop', 'Shuts it down gracefully', 'stop and start nodes'],
  ['crash', 'Crash', 'Ends it between two instructions. What it had not synced is lost', 'crash nodes'], ['pause', 'Pause', 'Freezes it, with its connections open', 'pause nodes']];
const disks = [['Slow', 'Each sync takes 100 ms longer', {slow: '100ms'}, '100ms slower'], ['Hanging', 'Each sync takes 10 minutes longer', {slow: '10m'}, '10m0s slower'],
  ['Full', 'What needs space fails: ENOSPC', {full: true}, 'full'], ['Failing', 'Every write and sync fails: EIO', {failing: true}, 'failing'],
  ['Lying', 'Syncs are reported as done, and a crash loses what was written since', {lying: true}, 'lying'], ['Torn', 'Half of what the next sync writes is kept, and the sync hangs until a crash', {torn: true}, 'about to tear a write']];
const clocks = [['1 h ahead', '1h', '1h0m0s ahead'], ['1 h behind', '-1h', '1h0m0s behind']];
const parts = ['log', 'snapshot', 'database', 'term and vote', 'end of the log'];
const cards = new Map();

function showNodes(state) {
  const holder = document.getElementById('nodes');
  for (const [index, card] of cards) if (!state.nodes.some(n => n.index === index)) { card.element.remove(); cards.delete(index); }
  for (const n of state.nodes) {
    if (!cards.has(n.index)) {
      cards.set(n.index, cardOf(n));
      holder.append(cards.get(n.index).element);
    }
    cards.get(n.index).show(n, state);
  }
}

function cardOf({index, id}) {
  const place = 'node ' + index, key = (...words) => [place, ...words].join('/');
  const health = make('span', {class: 'health'}), role = make('span', {class: 'badge role'}), facts = make('dl', {class: 'numbers'}), reason = make('p', {class: 'soft reason'});
  const said = make('p', {class: 'said', role: 'status', hidden: true});
  const away = modes.map(([mode, text, title, needs]) => button(text, title, key('away', mode), [needs], () => ({do: 'take offline', node: index, mode})));
  const back = button('Bring online', 'Undoes what keeps it away. It keeps its disk', key('back'), [], () => ({do: 'bring online', node: index}));
  const wiped = button('… on an empty disk', 'Brings it back as a new member, which copies all data', key('wiped'), ['add and remove nodes', 'stop and start nodes'], () => ({do: 'bring online', node: index, wiped: true}));
  const latest = {};
  const disk = disks.map(([text, title, faults, is]) => [button(text, title, key('disk', text), ['inject disk faults'], () => ({do: 'disk', node: index, disk: latest.disk === is ? null : faults})), is]);
  const part = select('Part of the disk to damage', parts.map(p => [p, p]));
  const damage = button('Damage', 'Flips a byte of that part. Only a new disk repairs it', key('damage'), ['inject disk faults'], () => ({do: 'damage', node: index, part: part.value}));
  const clock = clocks.map(([text, ahead, is]) => [button(text, 'Sets the clock, which jumps', key('clock', text), ['skew clocks'], () => ({do: 'clock', node: index, ahead: latest.clock === is ? '' : ahead})), is]);
  const remove = button('Remove', 'Removes it from the cluster, which needs a quorum of the others', key('remove'), ['add and remove nodes'], () => confirm(`Remove node ${index} from the cluster? Its data is deleted.`) && {do: 'remove node', node: index});
  const replace = button('Replace', 'Adds a new node, and then removes this one', key('replace'), ['add and remove nodes'], () => ({do: 'replace node', node: index}));
  const diverge = button('Diverge', 'Runs the statement in the box below on this node alone, past its log: to see that a comparison finds it', key('diverge'), ['change the data of one replica alone'], () => ({do: 'diverge', node: index, sql: box.text()}));
  const awayRow = group('lose it', away), backRow = group('away', [back, wiped]), box = sqlBox(index);
  const element = make('section', {class: 'card panel', id: 'node-' + index, 'aria-label': place},
    make('h2', {}, make('span', {class: 'dot', style: `background:var(--node${index % 7})`}), place, make('span', {class: 'soft'}, id), role, health), facts, awayRow, backRow,
    make('details', {class: 'more', open: innerWidth > 860}, make('summary', {}, 'Disk, clock, member'),
      group('disk', disk.map(d => d[0])), group('damage', [part, damage]), group('clock', clock.map(c => c[0])), group('member', [remove, replace, diverge])), reason, said, box.element);
  let before = '';
  const show = (n, state) => {
    Object.assign(latest, {disk: n.disk, clock: n.clock});
    element.dataset.health = n.online ? n.health : 'away';
    element.dataset.mode = n.mode || '';
    say(health, n.mode ? n.mode === 'isolate' ? 'isolated, ' + n.health : past[n.mode] : n.health);
    health.className = 'health ' + (n.mode || n.health);
    say(role, n.role === 'leader' ? 'leader' : n.voter ? n.role || '' : 'no voter');
    role.hidden = !role.textContent || n.health === 'offline';
    role.className = 'badge role ' + n.role;
    const values = [...['term', 'commit', 'applied', 'behind', 'log'].map(name => [name, n.health === 'offline' || n.health === 'unknown' ? '–' : n[name]]), n.memory && ['memory', (n.memory / 2 ** 20).toFixed(0) + ' MiB']].filter(Boolean);
    const now = JSON.stringify(values);
    if (now !== before) facts.replaceChildren(...values.map(([name, value]) => make('div', {class: name === 'behind' && value > 0 ? 'late' : ''}, make('dt', {}, name), make('dd', {}, typeof value === 'number' ? number(value) : value))));
    before = now;
    element.dataset.applied = n.applied;
    const words = [n.work, n.reason && n.reason !== past[n.mode] ? n.reason : '', n.disk ? 'disk: ' + n.disk : '', n.clock ? 'clock: ' + n.clock : ''].filter(Boolean).join(' · ');
    say(reason, words);
    reason.hidden = !words;
    const moving = state.busy.some(b => b.place === place && /away|back|wiped|remove|replace/.test(b.key));
    awayRow.hidden = Boolean(n.mode) || !n.online && !moving;
    backRow.hidden = !awayRow.hidden;
    for (const b of away) b.show(state, undefined, moving);
    for (const b of [back, wiped]) b.show(state, undefined, moving);
    for (const [b, is] of disk) b.show(state, n.disk === is);
    for (const [b, is] of clock) b.show(state, n.clock === is);
    damage.show(state);
    remove.show(state, undefined, moving || state.nodes.length < 2);
    replace.show(state, undefined, moving);
    diverge.show(state);
    outcome(said, state, place);
  };
  return {element, show};
}

const past = {isolate: 'isolated', stop: 'stopped', crash: 'crashed', pause: 'paused'};

function group(name, inside) { return make('div', {class: 'group', role: 'group', 'aria-label': name}, make('span', {class: 'soft name'}, name), inside); }

const examples = [['Make a table', () => 'CREATE NAMESPACE IF NOT EXISTS app;\nCREATE TABLE IF NOT EXISTS app.t (id INTEGER PRIMARY KEY, v TEXT)'],
  ['Add a row', i => `INSERT INTO app.t (v) VALUES ('written at node ${i}') RETURNING *`], ['Read', () => 'SELECT * FROM app.t ORDER BY id'],
  ['Change rows', i => `UPDATE app.t SET v = v || ', seen by node ${i}' WHERE id = 1 RETURNING *`], ['Count', () => 'SELECT count(*) FROM app.t'], ['Delete rows', () => 'DELETE FROM app.t WHERE id = 1 RETURNING *']];

// sqlBox sends requests to a node as its clients do.
function sqlBox(index) {
  const text = make('textarea', {rows: 2, spellcheck: 'false', autocapitalize: 'off', 'aria-label': `SQL for node ${index}`});
  text.value = examples[Math.min(index, 2)][1](index);
  const choose = select(`Examples for node ${index}`, [['', 'examples'], ...examples.map(([name], i) => [i, name])]);
  choose.onchange = () => { if (choose.value !== '') text.value = examples[choose.value][1](index); choose.value = ''; text.focus(); };
  const level = select(`Consistency of reads at node ${index}`, [['', 'default'], ['local', 'local'], ['leader', 'leader'], ['strong', 'strong']]);
  level.title = 'How recent what is read must be';
  const inside = make('input', {type: 'checkbox'});
  const answer = make('div', {class: 'answer', role: 'status'});
  const send = make('button', {type: 'button', class: 'main', title: 'Ctrl and Enter', onclick: run}, 'Run');
  async function run() {
    send.disabled = true;
    send.setAttribute('aria-busy', 'true');
    say(answer, '…');
    try {
      answer.replaceChildren(...answered(await ask('POST', 'sql', {node: index, sql: text.value, consistency: level.value, inside: inside.checked})));
    } catch (error) {
      answer.replaceChildren(refusal(error));
    }
    send.disabled = false;
    send.setAttribute('aria-busy', 'false');
  }
  text.onkeydown = e => { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); run(); } };
  const element = make('div', {class: 'sql'}, text, make('div', {class: 'row'}, send, choose, level,
    make('label', {class: 'soft', title: 'Past every fault, as from its own host: shows what an isolated node holds'}, inside, ' from inside')), answer);
  return {element, text: () => text.value};
}

function answered({tables, took}) {
  const parts = tables.map(t => t.columns.length ? tableOf(t) : make('p', {class: 'soft'}, t.affected ? counted(t.affected, 'row') + ' changed' : 'done'));
  const last = parts.at(-1);
  (last?.matches('p') ? last : last?.querySelector('p') || parts[parts.push(make('p', {class: 'soft'})) - 1]).append(make('span', {class: 'took'}, ', ' + took));
  return parts;
}

function counted(n, what) { return `${number(n)} ${what}${n === 1 ? '' : 's'}`; }

function tableOf(t) {
  const count = t.rows.length + (t.more || 0);
  return make('div', {class: 'scroll'}, make('table', {class: 'data'}, make('thead', {}, make('tr', {}, t.columns.map(c => make('th', {scope: 'col'}, c)))), make('tbody', {}, t.rows.map(r => make('tr', {}, r.map(c => cellOf('td', c)))))),
    make('p', {class: 'soft'}, t.more ? `the first ${t.rows.length} of ${number(count)} rows` : counted(count, 'row')));
}

function refusal(error) {
  const said = error.said || {};
  return make('p', {class: 'said failed'}, sentence(error), [said.code && make('code', {}, said.code), said.outcome && make('span', {class: 'soft'}, 'the request was ' + ({unknown: 'perhaps applied'}[said.outcome] || said.outcome))].filter(Boolean).flatMap(e => [' ', e]));
}
