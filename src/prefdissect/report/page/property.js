// One property: its definition, its weight with each judge, and the pairs that show it at work.

const MOST_PAIRS = 10;

function propertyPanel(width) {
  const id = state.get('property', null, study.ids);
  if (!id) return h('p', { class: 'note' }, 'Choose a property by its name to see its definition and its pairs.');
  const prop = propertyOf(id), k = study.ids.indexOf(id), view = propertiesView();
  const facts = [['kind', prop.kind], ['counts as more', prop.direction === 'higher' ? 'a higher rating' : 'a lower rating'],
    prop.range && ['range', prop.range.join(' to ')], prop.unit && ['unit', prop.unit], prop.threshold > 0 && ['counts as equal', `ratings that differ by less than ${prop.threshold}`], ['sort of property', prop.group],
    ['not rated', prop.missing === 'drop' ? 'the pair is left out' : 'the responses count as equal'],
    ['differs in', view.judges.slice(0, 4).map(judge => `${count(estimate(view.what, judge, view.group, k).differs)} of ${count(pairsOf(judge, view.group))} pairs of ${judge}`).join(', ')]].filter(Boolean);
  const rows = view.judges.slice(0, 33).map(judge => ({ name: judge, key: `of:${judge}`, points: [{ ...estimate(view.what, judge, view.group, k), series: 0 }] }));
  return h('section', { class: 'panel', id: 'property', 'data-property': id, 'aria-label': prop.label },
    h('button', { class: 'close', 'aria-label': 'Close', onclick: () => state.set({ property: null }) }, '×'),
    h('h3', null, h('bdi', null, prop.name || prop.label)), h('p', null, h('bdi', null, prop.description || 'No description was given.')),
    h('dl', { class: 'facts' }, facts.map(([a, b]) => [h('dt', null, a), h('dd', null, h('bdi', null, b))])),
    h('h4', null, `${SHOWN[view.what]}, ${groupName(view.group)}`),
    dots(rows, { width: Math.min(width - 32, 640), baseline: BASE[view.what], intervals: true, format: v => fixed(v, 3), label: `${prop.label} by judge` }),
    ...view.judges.slice(0, 1).map(judge => tellingPairs(judge, view.group, k)));
}

// The pairs where the property does most and the judge went along: `telling` of the Python library.
function telling(judge, groups, k) {
  const j = judgeAt(judge), found = [];
  for (const group of groups) {
    const g = groupAt(group);
    if (!isFitted(j, g)) continue;
    for (let p = 0; p < study.pairs.ids.length; p++) {
      const label = study.pairs.label.at(p, j), xk = study.pairs.x.at(p, k);
      if (!xk || !known(xk) || !known(label) || !study.pairs.inside.at(p, g)) continue;
      const term = xk * study.weights.mean.at(j, g, k);
      if (term * (label - 0.5) > 0) found.push({ p, group, g, label });
    }
  }
  return found.map(one => {
    const e = explain(one.p, j, one.g);
    if (!e) return null;
    const share = Math.abs(e.terms[k]) / e.terms.reduce((sum, t) => sum + Math.abs(t), 0);
    return { ...one, ...e, share };
  }).filter(Boolean).map(one => ({ ...one, rough: one.share * Math.abs(sigmoid(one.logit) - sigmoid(one.logit - one.terms[k])) }))
    .sort((a, b) => b.rough - a.rough).slice(0, 400)
    .map(one => ({ ...one, shapley: shapley(one.terms)[k] }))
    .map(one => ({ ...one, worth: Math.round(1e6 * Math.abs(one.shapley) * one.share) })) // equal ones in the order of the data
    .sort((a, b) => b.worth - a.worth || a.g - b.g || a.p - b.p).slice(0, MOST_PAIRS);
}

function tellingPairs(judge, group, k) {
  const found = telling(judge, group === OVERALL ? study.scenarios : [group], k), one = estimate('weight', judge, group, k);
  if (!found.length) return h('p', { class: 'note' }, 'No pair shows it at work: it never differs in favour of the preferred response.');
  return h('div', null, h('h4', null, 'Pairs that show it at work, for ', h('bdi', null, judge)),
    one.lower < 0 && one.upper > 0 && h('p', { class: 'warning', id: 'unsure' }, `The direction of this weight is not sure, its interval holds 0${one.prior ? ', and it is nearly the prior' : ''}: these pairs are no evidence of a preference.`),
    h('p', { class: 'note' }, 'Pairs that went as this property says. Of P(A), the share of this property: its Shapley value; and what it is of the log-odds of all properties, without signs.'),
    table([
      { name: 'pair', of: r => h('button', { class: 'quiet', onclick: () => openPair(study.pairs.ids[r.p], judge, r.group) }, h('bdi', null, study.pairs.ids[r.p])) },
      { name: 'group', of: r => h('bdi', null, groupName(r.group)) }, { name: 'preferred', of: r => verdict(r.label) },
      { name: 'P(A)', of: r => r.probability, right: true }, { name: 'of which this property', of: r => signed(r.shapley, 3), right: true },
      { name: 'share of all', of: r => percent(r.share), right: true }], found, { key: r => study.pairs.ids[r.p] }));
}
