// Which pair: search, filters, order, previous and next.

const PAIR_ORDERS = { file: 'As in the data', surprise: 'Most surprising verdict first', sure: 'Surest first', split: 'Closest to one half first' };
const AGREEMENTS = { any: 'any', same: 'same verdict as', differ: 'another verdict than' };

const verdict = label => (!known(label) ? 'no usable verdict' : label === 1 ? 'A' : label === 0 ? 'B' : label === 0.5 ? 'undecided' : `A with ${fixed(label)}`);

function pairsView() {
  const judge = state.get('by', study.judges[0], study.judges);
  return {
    judge, j: judgeAt(judge),
    query: state.get('q', ''),
    group: state.get('of', '', study.groupIds),
    said: state.get('said', 'any', ['any', 'A', 'B', 'undecided', 'none']),
    property: state.get('differs', '', study.ids),
    agreement: state.get('agree', 'any', Object.keys(AGREEMENTS)),
    other: state.get('with', study.judges[1] ?? study.judges[0], study.judges),
    order: state.get('first', 'file', Object.keys(PAIR_ORDERS)),
    onlyTexts: state.get('texts', 'no') === 'yes',
  };
}

// What is searched: ids, models and texts, in small letters; made at the first search.
let searched = null;
function searchable() {
  if (searched) return searched;
  const about = Object.values(study.pairs.about);
  searched = study.pairs.ids.map((id, p) => [id, ...about.map(column => column[p] ?? '')].join('\n').toLowerCase());
  texts.pairs.forEach((p, i) => { searched[p] += `\n${Object.values(texts.columns).map(column => column[i] ?? '').join('\n')}`.toLowerCase(); });
  return searched;
}

// Pairs that pass all filters, in order. The last answer is kept: going to the next pair asks the same again.
let listed = { key: null, found: [] };
function listPairs(view) {
  const key = JSON.stringify([view, texts.pairs.length]);
  if (listed.key === key) return listed.found;
  const pairs = study.pairs, query = view.query.trim().toLowerCase(), text = query ? searchable() : null;
  const g = groupAt(view.group), k = study.ids.indexOf(view.property), o = judgeAt(view.other), withText = view.onlyTexts ? new Set(texts.pairs) : null;
  const found = [];
  for (let p = 0; p < pairs.ids.length; p++) {
    const label = pairs.said.at(p, view.j);
    if (query && !text[p].includes(query)) continue;
    if (g >= 0 && !pairs.inside.at(p, g)) continue;
    if (k >= 0 && !(pairs.x.at(p, k) !== 0 && known(pairs.x.at(p, k)))) continue;
    if (withText && !withText.has(p)) continue;
    if (view.said === 'A' && !(label > 0.5)) continue;
    if (view.said === 'B' && !(label < 0.5)) continue;
    if (view.said === 'undecided' && label !== 0.5) continue;
    if (view.said === 'none' && known(label)) continue;
    if (view.agreement !== 'any') {
      const second = pairs.said.at(p, o);
      if (!known(label) || !known(second) || (Math.sign(label - 0.5) === Math.sign(second - 0.5)) !== (view.agreement === 'same')) continue;
    }
    found.push(p);
  }
  listed = { key, found: orderPairs(found, view) };
  return listed.found;
}

function orderPairs(found, view) {
  if (view.order === 'file') return found;
  const worth = { surprise: (l, p, group) => surpriseOf(view.judge, group, study.pairs.label.at(p, view.j), l), sure: l => Math.abs(l), split: l => -Math.abs(l) }[view.order];
  const valueOf = p => {
    const group = groupsFor(p, view)[0];
    if (group === undefined) return NaN;
    const g = groupAt(group), w = study.weights.mean;
    return worth(study.pairs.x.row(p).reduce((sum, v, k) => sum + v * w.at(view.j, g, k), 0), p, group);
  };
  return found.map(p => [p, valueOf(p)]).sort((a, b) => (known(b[1]) ? b[1] : -Infinity) - (known(a[1]) ? a[1] : -Infinity) || a[0] - b[0]).map(([p]) => p);
}

// The groups whose fit can explain a pair, the one that is filtered by first.
const groupsFor = (p, view) => groupsOf(p, view.j).sort((a, b) => (b === view.group) - (a === view.group));

const openPair = (id, judge, group) => state.set({ section: 'pairs', pair: id, by: judge, fit: group ?? null, of: null, q: null, said: null, differs: null, agree: null, texts: null }, { push: true });

const pairsSection = {
  title: 'Pairs',
  controls: () => {
    const view = pairsView(), id = newId();
    const search = h('div', { class: 'control-box' }, h('label', { for: id }, 'Search ids and texts'),
      h('input', { id, type: 'search', value: view.query, 'data-key': 'q', oninput: e => later(() => state.set({ q: e.target.value, pair: null })) }));
    return [search,
      choice('Judge', 'by', study.judges, study.judges[0]),
      choice('Group', 'of', [{ value: '', label: 'any' }, ...groupOptions(study.groupIds)], ''),
      choice('Judge said', 'said', [{ value: 'any', label: 'anything' }, 'A', 'B', 'undecided', { value: 'none', label: 'nothing usable' }], 'any'),
      choice('Differs in', 'differs', [{ value: '', label: 'anything' }, ...study.properties.map(p => ({ value: p.id, label: p.label }))], ''),
      study.judges.length > 1 && choice('Agreement', 'agree', Object.entries(AGREEMENTS).map(([value, label]) => ({ value, label })), 'any'),
      study.judges.length > 1 && view.agreement !== 'any' && choice('As judge', 'with', study.judges, study.judges[1]),
      choice('Order', 'first', Object.entries(PAIR_ORDERS).map(([value, label]) => ({ value, label })), 'file'),
      texts.pairs.length > 0 && texts.pairs.length < study.pairs.ids.length && toggle('Only pairs whose texts are here', 'texts', false)];
  },
  build: width => {
    const view = pairsView(), found = listPairs(view);
    if (!found.length) return [h('p', { class: 'warning', id: 'position' }, `No pair of ${count(study.pairs.ids.length)} passes these filters.`)];
    const asked = study.pairs.ids.indexOf(state.get('pair', ''));
    const here = Math.max(0, found.indexOf(asked)), p = found[here];
    const go = to => { state.set({ pair: study.pairs.ids[found[to]] }); say(`pair ${to + 1} of ${found.length}`); };
    const number = h('input', { type: 'number', min: 1, max: found.length, value: here + 1, 'data-key': 'goto', 'aria-label': 'Go to pair number',
      onchange: e => go(Math.min(found.length, Math.max(1, Math.round(Number(e.target.value)) || 1)) - 1) });
    return [h('div', { class: 'walk' },
      h('button', { 'data-key': 'previous', disabled: here === 0, onclick: () => go(here - 1) }, '← Previous'), number,
      h('span', { id: 'position' }, `of ${count(found.length)}`, found.length < study.pairs.ids.length ? ` (all: ${count(study.pairs.ids.length)})` : ''),
      h('button', { 'data-key': 'next', disabled: here === found.length - 1, onclick: () => go(here + 1) }, 'Next →')),
    asked >= 0 && !found.includes(asked) && h('p', { class: 'warning' }, `Pair ${state.get('pair', '')} does not pass these filters; this is the first that does.`),
    ...pairView(p, view, width)];
  },
};

let waiting = null;
function later(run) { clearTimeout(waiting); waiting = setTimeout(run, 200); }
