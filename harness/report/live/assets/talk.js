// The page talks to the cluster that served it. The token comes in the fragment of the address, which is not sent, and is taken out of it.
let token = new URLSearchParams(location.hash.slice(1)).get('token');
if (token) {
  sessionStorage.setItem('token', token);
  history.replaceState(null, '', location.pathname);
} else token = sessionStorage.getItem('token') || '';

class Refused extends Error {
  constructor(status, said) { super(said.error || `the cluster answered ${status}`); Object.assign(this, {status, said}); }
}

async function ask(method, path, body) {
  const options = {method, headers: {Authorization: 'Bearer ' + token}, cache: 'no-store'};
  if (body !== undefined) {
    options.headers['Content-Type'] = 'application/json';
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const said = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, said);
  return said;
}

// act does an action. What came of it is in the state that follows, so that all pages show it.
async function act(action, key) {
  try {
    await ask('POST', 'do', {...action, key});
  } catch (error) {
    if (!(error instanceof Refused) || error.status === 409 && /under way/.test(error.message)) toast(sentence(error));
  }
}

function sentence(error) { return error instanceof Refused ? error.message : 'The cluster does not answer: is it still running?'; }

// follow calls update with each state that is new, for as long as the page is open.
async function follow(update, lost) {
  let since = 0;
  for (;;) {
    try {
      const {version, state} = await ask('GET', 'state?since=' + since);
      if (version !== since) update(state);
      since = version;
    } catch (error) {
      since = 0;
      lost(error);
      if (error.status === 401) return;
      await pause(1000);
    }
  }
}

const pause = ms => new Promise(done => setTimeout(done, ms));

// say shows a text, if it is another one.
function say(element, text) { if (element.textContent !== text) element.textContent = text; }

// outcome shows what came of the last action of a place, and what is under way there.
function outcome(element, state, place) {
  const busy = state.busy.filter(b => b.place === place), said = state.said[place];
  const text = busy.length ? 'Under way: ' + busy.map(b => b.text).join(', ') + ' …' : said ? said.text : '';
  say(element, text);
  element.className = 'said' + (busy.length ? ' busy' : said?.failed ? ' failed' : '');
  element.hidden = !text;
}

// button makes a button for an action. update shows whether it is under way, in force, or impossible.
function button(text, title, key, needs, action) {
  const element = make('button', {type: 'button', title, 'data-key': key, onclick: () => { const a = action(); if (a) act(a, key); }}, text);
  element.show = (state, pressed, off) => {
    const why = needs.map(n => state.cannot[n]).find(Boolean), busy = state.busy.some(b => b.key === key);
    element.disabled = Boolean(why || off || busy);
    element.title = why || title;
    element.setAttribute('aria-busy', busy);
    if (pressed !== undefined) element.setAttribute('aria-pressed', Boolean(pressed));
  };
  return element;
}

function select(label, options, value) {
  const element = make('select', {'aria-label': label}, options.map(([v, text]) => make('option', {value: v}, text)));
  if (value !== undefined) element.value = value;
  return element;
}

// cellOf shows a value: NULL and bytes are told from texts that look like them.
function cellOf(tag, cell, attributes) {
  return make(tag, {class: cell.k, ...attributes}, cell.k === 'null' ? 'NULL' : cell.t || '');
}
