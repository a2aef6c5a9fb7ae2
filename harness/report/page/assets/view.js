// The part of the time that is shown, and the cursor. All lanes and plots follow it.
const view = {from: 0, to: 1, length: 1, cursor: null, chosen: -1, marked: new Set(), watchers: []};

function watch(f) { view.watchers.push(f); }

let changed = new Set(), waiting = false;

// tell calls the watchers once before the next picture, with what changed: "range", "cursor" or "chosen".
function tell(what) {
  changed.add(what);
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(now);
}
function now() {
  waiting = false;
  const what = changed;
  changed = new Set();
  for (const f of view.watchers) f(what);
}

function show(from, to) {
  const least = 1000; // ns
  let width = Math.min(Math.max(to - from, least), view.length * 1.02);
  if (to - from < least) from = (from + to - least) / 2;
  from = Math.max(-view.length * 0.01, Math.min(from, view.length * 1.01 - width));
  view.from = from;
  view.to = from + width;
  tell('range');
}
function showAll() { show(-view.length * 0.01, view.length * 1.01); }
function zoom(factor, at = view.cursor ?? (view.from + view.to) / 2) {
  if (at < view.from || at > view.to) at = (view.from + view.to) / 2;
  show(at - (at - view.from) * factor, at + (view.to - at) * factor);
}
function pan(share) {
  const by = (view.to - view.from) * share;
  show(view.from + by, view.to + by);
}
function moveCursor(at) {
  view.cursor = at;
  tell('cursor');
}
function isWhole() { return view.to - view.from > view.length * 1.015; }

// Colours are those of the style sheet, in light or dark.
let colours = {};
function colour(name) { return colours[name] ??= getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim() || '#888'; }
function forgetColours() { colours = {}; patterns = {}; tell('range'); }
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', forgetColours);
let patterns = {};
function hatch(context, name) {
  if (patterns[name]) return patterns[name];
  const small = document.createElement('canvas');
  small.width = small.height = 8;
  const c = small.getContext('2d');
  c.fillStyle = colour('back');
  c.fillRect(0, 0, 8, 8);
  c.globalAlpha = 0.35;
  c.fillStyle = colour(name);
  c.fillRect(0, 0, 8, 8);
  c.globalAlpha = 1;
  c.strokeStyle = colour(name);
  c.lineWidth = 2;
  c.beginPath();
  for (const d of [-8, 0, 8]) { c.moveTo(d - 1, 9); c.lineTo(d + 9, -1); }
  c.stroke();
  return patterns[name] = context.createPattern(small, 'repeat');
}
