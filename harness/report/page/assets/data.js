// What the run said is in script elements: gzip in base64.
async function unpack(id) {
  const text = document.getElementById(id).textContent;
  const raw = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  return new Response(new Blob([raw]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
}

// make makes an element. What is not an element is shown as text.
function make(tag, attributes, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on')) element[name] = value;
    else if (value !== false && value != null) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...inside.flat().filter(x => x != null && x !== false));
  return element;
}

let toastTimer;
function toast(text) {
  const element = document.getElementById('toast');
  element.textContent = text;
  element.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { element.hidden = true; }, 1800);
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // an old browser, or a page that is not trusted with the clipboard
    const area = make('textarea', {style: 'position:fixed;opacity:0'});
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  toast('Copied: ' + what);
}

function command(line) {
  const [first, ...more] = line.split('\n');
  return make('div', {}, make('div', {class: 'command'}, make('code', {}, first), make('button', {onclick: () => copy(first, 'the command'), title: 'Copy the command that runs it again'}, 'Copy')),
    more.map(m => make('div', {class: 'soft'}, m)));
}

// The size of a number of nanoseconds, in a unit that fits.
function span(ns) {
  const a = Math.abs(ns);
  if (a < 1e3) return ns.toFixed(0) + ' ns';
  if (a < 1e6) return short(ns / 1e3) + ' µs';
  if (a < 1e9) return short(ns / 1e6) + ' ms';
  if (a < 120e9) return short(ns / 1e9) + ' s';
  return `${Math.floor(ns / 60e9)} min ${Math.round(ns / 1e9) % 60} s`;
}
function short(x) { return String(Number(x.toPrecision(x >= 1000 ? 4 : 3))); }

// A moment since the beginning of the journal, as exact as the step between two of them.
function moment(ns, step) {
  if (ns === 0) return '0';
  const [unit, name] = Math.max(Math.abs(ns), step) >= 1e9 ? [1e9, 's'] : Math.max(Math.abs(ns), step) >= 1e6 ? [1e6, 'ms'] : [1e3, 'µs'];
  const digits = Math.max(0, Math.min(9, Math.ceil(-Math.log10(step / unit) - 1e-9)));
  return (ns / unit).toFixed(digits) + ' ' + name;
}
function number(n) { return n.toLocaleString('en'); }
