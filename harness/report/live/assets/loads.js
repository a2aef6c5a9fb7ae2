// Workloads to switch on and off, and the judges of what their clients saw.
function loadsPanel() {
  const list = make('tbody', {}), said = make('p', {class: 'said', role: 'status', hidden: true}), verdict = make('div', {class: 'verdict'});
  const judge = make('button', {type: 'button', 'data-key': 'judge', onclick: judged, title: 'All judges look at the journal so far. With no workload running and no node offline, every node is read a last time first'}, 'Judge what clients saw');
  document.getElementById('loads').append(make('h2', {}, 'Workloads'), make('div', {class: 'scroll'}, make('table', {class: 'loads'}, make('thead', {}, make('tr', {}, ['', 'workload', 'clients', 'a second', 'ok', 'failed', 'unknown'].map(h => make('th', {scope: 'col'}, h)))), list)),
    make('div', {class: 'group'}, judge, said), verdict);
  async function judged() {
    try {
      verdict.replaceChildren(...verdictOf(await ask('POST', 'judge', {})));
    } catch (error) {
      verdict.replaceChildren(make('p', {class: 'said failed'}, sentence(error)));
    }
  }
  const rows = new Map();
  const show = state => {
    for (const w of state.loads) {
      if (!rows.has(w.name)) { rows.set(w.name, rowOf(w)); list.append(rows.get(w.name).element); }
      rows.get(w.name).show(w);
    }
    judge.disabled = state.busy.some(b => b.key === 'judge');
    outcome(said, state, 'workloads');
  };
  return show;
}

function rowOf({name, doc, clients, rate}) {
  const at = make('input', {type: 'number', min: 1, max: 50, value: clients, 'aria-label': `Clients of ${name}`}), speed = make('input', {type: 'number', min: 1, max: 2000, value: rate, 'aria-label': `Operations a second of ${name}`});
  const toggle = make('button', {type: 'button', role: 'switch', 'aria-label': `Workload ${name}`, 'data-load': name, onclick: turn});
  const counts = ['ok', 'failed', 'unknown'].map(is => make('td', {class: 'count ' + is}, '0')), problem = make('p', {class: 'said failed', hidden: true});
  const measured = make('span', {class: 'pace'});
  let running = false, seen = [];
  async function turn() {
    toggle.disabled = true;
    try {
      await ask('POST', 'load', {name, on: !running, clients: Number(at.value), rate: Number(speed.value)});
    } catch (error) {
      say(problem, sentence(error));
      problem.hidden = false;
    }
    toggle.disabled = false;
  }
  const show = w => {
    running = w.running;
    toggle.setAttribute('aria-checked', w.running);
    toggle.setAttribute('aria-busy', Boolean(w.busy));
    at.disabled = speed.disabled = w.running || w.busy;
    counts.forEach((c, i) => { const n = [w.ok, w.failed, w.unknown][i]; say(c, number(n)); c.classList.toggle('zero', !n); });
    if (w.error || w.running) { say(problem, w.error || ''); problem.hidden = !w.error; }
    const now = performance.now(), all = w.ok + w.failed + w.unknown;
    seen = [...seen.filter(([t]) => now - t < 2500), [now, all]];
    const [first, before] = seen[0];
    say(measured, w.running && now - first > 700 ? `${Math.round((all - before) / (now - first) * 1000)}/s` : '');
  };
  return {show, element: make('tr', {}, make('td', {}, toggle), make('td', {}, make('b', {}, name), ' ', make('span', {class: 'soft doc'}, doc), ' ', measured, problem), make('td', {}, at), make('td', {}, speed), counts)};
}

function verdictOf({verdicts, examples, events, notFinal, error, expected, took}) {
  const judgedOnes = verdicts.map((v, i) => [v, examples[i]]).filter(([v]) => v.result !== 'nothing to judge'), idle = verdicts.length - judgedOnes.length;
  const rows = judgedOnes.map(([v, lines]) => make('tr', {}, make('td', {}, make('span', {class: 'badge ' + v.result}, v.result)), make('td', {}, make('b', {}, v.rule), make('div', {class: 'soft'}, v.promise), v.violations?.length || v.refused || v.undecided?.length ?
    [...few(objections(v, null)), lines.length ? make('details', {}, make('summary', {}, `its ${lines.length} events`), make('pre', {class: 'wrap'}, lines.join('\n'))) : ''] : '')));
  return [make('p', {class: 'soft'}, `${number(events)} events in ${took}. `, notFinal ? `Not read a last time: ${notFinal}. ` : '', idle ? `${idle} rules have nothing to judge.` : ''), error ? make('p', {class: 'said failed'}, error) : '', expected.map(e => make('p', {class: 'soft'}, e + '.')),
    rows.length ? make('table', {class: 'verdicts short'}, make('tbody', {}, rows)) : make('p', {}, 'There is nothing to judge yet: switch a workload on.')].flat();
}

// few shows the first of many.
function few(all) { return all.length < 5 ? all : [...all.slice(0, 3), make('details', {}, make('summary', {}, `and ${all.length - 3} more`), all.slice(3))]; }
