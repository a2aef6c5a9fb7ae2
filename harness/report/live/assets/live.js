// The page as a whole.
let latestState = null;

function headPanel() {
  const header = document.getElementById('head'), verdict = make('b', {id: 'verdict', role: 'status'}), facts = make('div', {class: 'facts'}), said = make('p', {class: 'said', role: 'status', hidden: true});
  const heal = button('Heal all', 'Undoes all faults, and waits until all nodes are online', 'heal', [], () => ({do: 'heal'}));
  const check = button('Check the invariants', 'Leaders, votes, digests, members and acknowledged requests, on a healed cluster', 'invariants', [], () => ({do: 'invariants'}));
  const add = button('Add a node', 'A voter with an empty disk, which catches up first', 'add', ['add and remove nodes'], () => ({do: 'add node'}));
  const quiet = button('Add a non-voter', 'It receives the log, and does not count for the quorum', 'add/quiet', ['add and remove nodes'], () => ({do: 'add node', suffrage: 'non-voter'}));
  header.append(make('div', {class: 'row top'}, make('div', {}, make('h1', {}, 'Rejoin ', make('span', {class: 'soft'}, 'live')), verdict), make('div', {class: 'row'}, heal, check, add, quiet)), facts, said);
  return state => {
    say(verdict, state.verdict);
    header.className = state.well ? '' : state.leader ? 'ill' : 'failed';
    const values = [['target', state.target], ['nodes', state.nodes.length], ['quorum', `${state.quorum} of ${state.voters}`], ['seed', state.seed], ['faults in force', state.faults.length]];
    facts.replaceChildren(...values.map(([name, value]) => make('span', {}, name + ' ', make('b', {}, String(value)))));
    for (const b of [heal, check, add, quiet]) b.show(state);
    outcome(said, state, 'cluster');
  };
}

const lost = make('p', {class: 'said failed', id: 'lost', role: 'alert', hidden: true});

// begin makes the panels once the first state is there.
function begin() {
  const panels = [headPanel(), showNodes, networkPanel(), loadsPanel(), rowsPanel()];
  document.getElementById('head').append(lost);
  let timed = false;
  follow(state => {
    latestState = state;
    lost.hidden = true;
    document.body.classList.remove('gone');
    for (const show of panels) show(state);
    if (!timed) { timed = true; journalPanel(); }
    document.documentElement.dataset.ready = '';
  }, error => {
    latestState = null;
    say(lost, sentence(error));
    lost.hidden = false;
    document.body.classList.add('gone');
    if (error.status === 401) askForToken();
  });
}

// askForToken is for an address without the token, or with an old one.
function askForToken() {
  const field = make('input', {type: 'password', 'aria-label': 'Token', placeholder: 'token', autocomplete: 'off'});
  const form = make('form', {class: 'row', onsubmit: e => { e.preventDefault(); sessionStorage.setItem('token', field.value.trim()); location.reload(); }}, field, make('button', {}, 'Open'));
  document.getElementById('head').append(form);
  field.focus();
}

begin();
