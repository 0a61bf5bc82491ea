// One pair: why it went as it did, what was rated, and what both responses say.

function pairView(p, view, width) {
  const groups = groupsFor(p, view), fit = state.get('fit', null, groups) ?? groups[0];
  const said = study.pairs.said.at(p, view.j), used = study.pairs.label.at(p, view.j);
  const head = h('h3', { id: 'pair', 'data-pair': study.pairs.ids[p] }, 'Pair ', h('bdi', null, study.pairs.ids[p]));
  const inside = study.groupIds.filter((_, g) => study.pairs.inside.at(p, g)).map(groupName);
  const facts = [['groups', inside.join(', ') || 'none'], ...Object.entries(study.pairs.about).map(([name, column]) => [name.replaceAll('_', ' '), column[p]])].filter(([, v]) => v);
  const e = fit === undefined ? null : explain(p, view.j, groupAt(fit));
  return [head, h('dl', { class: 'facts line' }, facts.map(([a, b]) => h('div', null, h('dt', null, a), h('dd', null, h('bdi', null, b))))),
    verdictsOf(p),
    e ? h('div', { class: 'beside' }, whyOf(e, fit, groups, view, said, used, width > 1000 ? width - 430 : width), ratingsOf(p, e))
      : h('p', { class: 'warning' }, fit === undefined ? `No group of this pair has a fit of ${view.judge}, so nothing explains it.` : 'A rating of this pair is missing, so no fit can explain it.'),
    textsOf(p), !e && ratingsOf(p, e)];
}

const verdictsOf = p => study.judges.length < 2 ? null : h('details', { 'data-key': 'verdicts' },
  h('summary', null, `Verdicts: ${['A', 'B', 'undecided'].map((name, i) => `${study.judges.filter((_, j) => { const l = study.pairs.said.at(p, j); return [l > 0.5, l < 0.5, l === 0.5][i]; }).length} ${name}`).join(', ')}`),
  table([{ name: 'judge', of: r => h('bdi', null, r.name) }, { name: 'said', of: r => verdict(r.said) }, { name: 'expected P(A)', of: r => r.expected, right: true }],
    study.judges.map((name, j) => { const g = groupsOf(p, j)[0], e = g === undefined ? null : explain(p, j, groupAt(g)); return { name, said: study.pairs.said.at(p, j), expected: e ? e.probability : NaN }; }), { key: r => r.name }));

// The waterfall of the judge and group that are chosen, in probability (Shapley values) or in log-odds.
function whyOf(e, fit, groups, view, said, used, width) {
  const scaleOf = state.get('scale', 'probability', ['probability', 'log-odds']), inOdds = scaleOf === 'log-odds', g = groupAt(fit);
  const values = inOdds ? e.terms : shapley(e.terms);
  const steps = values.map((value, k) => ({ k, value })).filter(t => t.value !== 0).sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).map(({ k, value }) => {
    const ends = [study.weights.lower.at(view.j, g, k), study.weights.upper.at(view.j, g, k)].map(v => v * e.x[k]).sort((a, b) => a - b);
    const prop = study.properties[k];
    return { key: prop.id, label: prop.label, value, lower: inOdds ? ends[0] : null, upper: inOdds ? ends[1] : null,
      text: `${prop.label}: ${signed(value, 3)} ${inOdds ? `log-odds ${within(ends[0], ends[1])}` : 'of probability'}; ${e.x[k] > 0 ? 'A' : 'B'} has more` };
  });
  const tie = tieChance(view.judge, fit, e.logit), chance = tie === null ? '' : ` if there is no tie, P(tie) = ${fixed(tie)}`;
  const nats = surpriseOf(view.judge, fit, used, e.logit), told = known(nats), expected = told ? `, surprise ${fixed(nats)} nats` : '';
  const chart = waterfall(steps, { width: Math.min(width, 820), start: inOdds ? 0 : 0.5, title: inOdds ? 'log-odds that A is preferred' : 'probability that A is preferred',
    label: `Why ${view.judge} prefers ${e.probability >= 0.5 ? 'A' : 'B'}`, format: v => signed(v, 3), end: inOdds ? signed(e.logit) : `P(A) = ${fixed(e.probability)}`, onclick: id => state.set({ property: id, section: 'properties' }, { push: true }) });
  return h('section', { class: 'why' },
    h('p', { id: 'verdict', 'data-probability': e.probability, 'data-lower': e.lower, 'data-upper': e.upper }, h('b', null, h('bdi', null, view.judge)), ` said ${verdict(said)}${known(said) && !known(used) ? ', which the fits leave out' : ''}. By its fit in `, h('bdi', null, groupName(fit)), ', ',
      h('b', null, `P(A) = ${fixed(e.probability)}`), ` ${within(e.lower, e.upper)}${chance}${expected}.`),
    h('div', { class: 'controls' }, groups.length > 1 && choice('Fit of', 'fit', groupOptions(groups), groups[0]),
      radios('In', 'scale', { probability: 'probability', 'log-odds': 'log-odds' }, 'probability')),
    steps.length ? chart : h('p', { class: 'note' }, 'Nothing that was rated differs.'),
    h('p', { class: 'note' }, inOdds ? 'Weight times difference; they add up to the log-odds. ' : 'Shapley values against two responses that are equal in everything; they add up to P(A) − ½. ',
      'Blue speaks for A, orange for B. The interval of P(A) is of a normal posterior with the covariance of the fit.',
      told ? ` Surprise: minus the logarithm of the chance that the fit gave this verdict${tie === null ? '' : ' and not the other'}; a coin flip has 0.69.` : ''),
    saveButtons(chart, 'waterfall', ['property', 'value'], steps.map(t => [t.key, t.value])));
}

function textsOf(p) {
  const at = texts.pairs.indexOf(p), columns = Object.keys(texts.columns);
  if (at < 0) return h('p', { class: 'note', id: 'no-texts' }, columns.length
    ? `The texts of this pair are not in this file, which holds those of ${count(texts.pairs.length)} pairs. See them by “Only pairs whose texts are here”, or have all by texts=True (--texts all).`
    : `This file holds no texts: ${study.without_texts}`);
  const of = name => texts.columns[name]?.[at] ?? null, main = ['prompt', 'response_a', 'response_b'];
  const words = text => (text === null ? 'not given' : `${count((text.match(/\S+/g) || []).length)} words by spaces`);
  const side = (name, letter) => h('article', { class: 'response' }, h('h4', null, `Response ${letter}`,
    h('span', { class: 'note' }, ` ${[study.pairs.about[`model_${letter.toLowerCase()}`]?.[p], words(of(name))].filter(Boolean).join(', ')}`)), of(name) === null ? h('p', { class: 'note' }, main.slice(1).some(one => columns.includes(one)) ? 'no text' : 'the source has prompts only, no responses') : strange(of(name)));
  const more = columns.filter(name => !main.includes(name) && of(name) !== null);
  return h('section', { class: 'texts' }, of('prompt') !== null && h('article', { class: 'prompt' }, h('h4', null, 'Prompt'), strange(of('prompt'))),
    h('div', { class: 'both' }, side('response_a', 'A'), side('response_b', 'B')),
    more.length > 0 && h('details', { 'data-key': 'more' }, h('summary', null, 'What else the source says'),
      more.map(name => h('article', null, h('h4', null, h('bdi', null, name)), strange(of(name))))));
}

function ratingsOf(p, e) {
  const rows = study.properties.map((prop, k) => ({ prop, k, a: study.pairs.rating_a.at(p, k), b: study.pairs.rating_b.at(p, k), x: study.pairs.x.at(p, k) }));
  return h('details', { open: true, 'data-key': 'ratings' }, h('summary', null, 'Ratings'), table([
    { name: 'property', of: r => h('span', { title: r.prop.description }, h('bdi', null, r.prop.label)) },
    { name: 'A', of: r => rated(r.a), right: true }, { name: 'B', of: r => rated(r.b), right: true },
    { name: 'A has more', of: r => (known(r.x) ? signed(r.x, Number.isInteger(r.x) ? 0 : 2) : 'not rated'), right: true },
    { name: 'log-odds', of: r => (e ? signed(e.terms[r.k], 3) : '–'), right: true }], rows, { key: r => r.prop.id, dim: r => r.x === 0 }),
  ...ratingNotes(rows).map(line => h('p', { class: 'note' }, line)));
}

// Why signs are not those of the ratings: some count the other way round, and small differences do not count.
function ratingNotes(rows) {
  const names = some => some.map(r => r.prop.label + (r.prop.threshold > 0 && r.prop.direction === 'higher' ? ` (under ${r.prop.threshold})` : '')).join(', ');
  const lower = rows.filter(r => r.prop.direction === 'lower' && r.x), close = rows.filter(r => r.x === 0 && known(r.a) && known(r.b) && r.a !== r.b);
  return [lower.length > 0 && `The lower rating counts as more: ${names(lower)}.`,
    close.length > 0 && `Too close to count as different: ${names(close)}.`].filter(Boolean);
}
const rated = value => (known(value) ? (Number.isInteger(value) ? String(value) : fixed(value, 2)) : '–');
