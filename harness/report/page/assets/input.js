// What the pointer and the keyboard do to the timeline.
function handle(stage, holder, canvas, brush, {x, t, lanes, drawn, trace}) {
  const pointers = new Map();
  let down = null, pinch = 0;
  const place = e => e.clientX - stage.getBoundingClientRect().left;
  const under = e => {
    if (!canvas.contains(e.target)) return drawn.at(e);
    const box = canvas.getBoundingClientRect();
    return spanAt(lanes, e.clientX - box.left, e.clientY - box.top, x);
  };
  const step = e => {
    if (e.target.id !== 'ruler') return null;
    const s = trace.steps.find(s => s.from <= t(place(e)) && t(place(e)) < s.to);
    return s && place(e) > gutter() ? {span: s, words: `step ${trace.steps.indexOf(s) + 1}: ${s.text}`} : null;
  };
  stage.onpointerdown = e => {
    if (e.button !== 0) return;
    pointers.set(e.pointerId, e);
    down = {px: place(e), from: view.from, to: view.to, moved: false, pans: e.shiftKey || e.pointerType === 'touch'};
    if (pointers.size === 2) pinch = spread(pointers);
  };
  stage.onpointermove = e => {
    if (pointers.has(e.pointerId)) pointers.set(e.pointerId, e);
    if (pointers.size === 2) {
      const now = spread(pointers);
      if (pinch && now) zoom(pinch / now, t(middle(pointers) - stage.getBoundingClientRect().left));
      pinch = now;
      return;
    }
    const px = place(e);
    if (px >= gutter()) moveCursor(t(px));
    if (!down) { tip(e, under(e) || step(e)); return; }
    if (Math.abs(px - down.px) > 5 && !down.moved) { down.moved = true; stage.setPointerCapture(e.pointerId); tip(e, null); }
    if (!down.moved) return;
    if (down.pans) {
      const by = (down.px - px) / (stage.clientWidth - gutter()) * (down.to - down.from);
      show(down.from + by, down.to + by);
      return;
    }
    const a = Math.max(gutter(), Math.min(px, down.px)), b = Math.max(px, down.px);
    Object.assign(brush.style, {left: a + 'px', width: b - a + 'px'});
    brush.hidden = false;
  };
  stage.onpointerup = e => {
    pointers.delete(e.pointerId);
    const was = down;
    down = null;
    brush.hidden = true;
    if (!was || pointers.size) return;
    const px = place(e);
    if (!was.moved) {
      const found = under(e) || step(e);
      if (found) { choose(found.span.event, true); tip(e, e.pointerType === 'touch' ? found : null); }
    } else if (!was.pans) show(t(Math.max(gutter(), Math.min(px, was.px))), t(Math.max(px, was.px)));
  };
  stage.onpointercancel = e => { pointers.delete(e.pointerId); down = null; brush.hidden = true; };
  stage.onpointerleave = e => { if (!down) { tip(e, null); view.cursor = null; tell('cursor'); } };
  stage.ondblclick = showAll;
  stage.addEventListener('wheel', e => {
    const sideways = Math.abs(e.deltaX) > Math.abs(e.deltaY) ? e.deltaX : e.shiftKey ? e.deltaY : 0;
    if (!e.ctrlKey && !e.metaKey && !sideways) return; // the page scrolls
    e.preventDefault();
    if (e.ctrlKey || e.metaKey) zoom(Math.exp(e.deltaY / 250), t(place(e))); else pan(sideways / 700);
  }, {passive: false});
  stage.onkeydown = e => {
    const act = {ArrowLeft: () => pan(e.shiftKey ? -.9 : -.2), ArrowRight: () => pan(e.shiftKey ? .9 : .2), '+': () => zoom(.5), '=': () => zoom(.5), '-': () => zoom(2), 0: showAll, Home: showAll,
      '[': () => neighbour(trace, -1), ']': () => neighbour(trace, 1), Enter: () => view.chosen >= 0 && choose(view.chosen, true)}[e.key];
    if (!act || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    act();
  };
}

function spread(pointers) { const [a, b] = [...pointers.values()]; return Math.abs(a.clientX - b.clientX); }
function middle(pointers) { const [a, b] = [...pointers.values()]; return (a.clientX + b.clientX) / 2; }

// neighbour chooses the event before or after the chosen one, in the order in which they began.
function neighbour(trace, by) {
  trace.order ??= trace.at.map((_, i) => i).sort((a, b) => trace.at[a] - trace.at[b] || a - b);
  const order = trace.order;
  let at = view.chosen >= 0 ? order.indexOf(view.chosen) + by : order.findIndex(i => trace.at[i] >= (view.cursor ?? view.from));
  at = Math.max(0, Math.min(order.length - 1, at));
  choose(order[at], false);
}

function tip(e, found) {
  const element = document.getElementById('tip');
  if (!found) { element.hidden = true; return; }
  const {trace} = current.journal, i = found.span.event, s = found.span;
  const time = s.to > s.from ? `${moment(s.from, 1e3)} to ${moment(s.to, 1e3)}, ${span(s.to - s.from)}` : moment(s.from, 1e3);
  element.replaceChildren(make('b', {}, found.words), `\n${time}\n`, make('span', {class: 'soft'}, cutText(trace.words[i], 400)));
  element.hidden = false;
  const box = element.getBoundingClientRect();
  element.style.left = Math.max(4, Math.min(e.clientX + 14, innerWidth - box.width - 6)) + 'px';
  element.style.top = (e.clientY + 18 + box.height > innerHeight ? Math.max(4, e.clientY - box.height - 12) : e.clientY + 18) + 'px';
}
function cutText(text, most) { return text.length > most ? text.slice(0, most) + '…' : text; }
