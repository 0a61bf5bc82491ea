// What judges prefer: points with intervals, or heat maps, and the numbers as a table.

const SHOWN = { probability: 'Probability', weight: 'Weight (log-odds)', rank: 'Rank (1: most preferred)' };
const ORDERS = { value: 'Largest first', spread: 'Where judges differ most', schema: 'As in the schema', name: 'By name' };
const MOST_COLOURS = 8;
const MEANINGS = {
  probability: 'Probability: the chance that a response is preferred that has more of this property, of two that are alike in all else. At 0.5 it makes no difference.',
  weight: 'Weight: by how much the log-odds of being preferred grow when a response has more of this property, all else alike. At 0 it makes no difference.',
  rank: 'Rank: 1 for the property with the largest weight. Ranks whose intervals overlap cannot be told apart.',
};

function propertiesView() {
  return {
    judges: state.all('judge', study.judges.slice(0, 3), study.judges),
    group: state.get('group', study.rows[0], study.rows),
    what: state.get('show', 'probability', Object.keys(SHOWN)),
    order: state.get('order', 'value', Object.keys(ORDERS)),
    chart: state.get('chart', 'points', ['points', 'judges', 'groups']),
    intervals: state.get('intervals', 'yes') === 'yes',
  };
}

const propertiesSection = {
  title: 'Properties',
  controls: () => {
    const view = propertiesView();
    return [
      several('Judges', 'judge', study.judges, view.judges),
      choice('Group', 'group', groupOptions(study.rows), study.rows[0]),
      radios('Show', 'show', { probability: 'probability', weight: 'weight', rank: 'rank' }, 'probability'),
      radios('As', 'chart', { points: 'points', ...(study.judges.length > 1 ? { judges: 'heat map by judge' } : {}), ...(study.rows.length > 1 ? { groups: 'heat map by group' } : {}) }, 'points'),
      choice('Order', 'order', Object.entries(ORDERS).filter(([value]) => value !== 'spread' || study.judges.length > 1).map(([value, label]) => ({ value, label })), 'value'),
      toggle(`${study.percent} intervals`, 'intervals', true)];
  },
  build: width => {
    const view = propertiesView();
    if (!view.judges.length) return [h('p', { class: 'warning' }, 'Choose at least one judge.')];
    const missing = view.judges.filter(j => !known(estimate(view.what, j, view.group, 0).value));
    return [
      missing.length > 0 && h('p', { class: 'warning' }, 'Not fitted here, too few pairs: ', h('bdi', null, missing.join(', '))),
      h('p', { class: 'note', id: 'meaning' }, meaningOf(view)),
      ...({ points: pointsOf, judges: byJudge, groups: byGroup })[view.chart](view, width),
      numbersOf(view),
      propertyPanel(width)];
  },
};

function meaningOf(view) {
  const base = BASE[view.what], means = view.group === OVERALL && study.scenarios.length > 1;
  return [MEANINGS[view.what], ` Lines and brackets: ${study.percent} intervals${base === undefined ? '' : `; where one holds ${base}, the direction is not sure`}.`,
    means ? ` Means over ${study.scenarios.length} scenarios, which count alike, however few their pairs.` : '',
    view.order === 'spread' ? ' The order is by differences of estimates: where there are few pairs, these are mostly noise.' : ''].join('');
}

function orderOf(view) {
  const first = k => view.judges.map(j => estimate(view.what, j, view.group, k).value).filter(known);
  const mean = k => first(k).reduce((a, b) => a + b, 0) / (first(k).length || 1);
  const range = k => Math.max(...first(k), -Infinity) - Math.min(...first(k), Infinity);
  const sign = view.what === 'rank' ? 1 : -1, all = study.ids.map((_, k) => k);
  const by = { value: k => sign * mean(k), spread: k => -range(k), schema: k => k };
  return view.order === 'name' ? all.sort((a, b) => study.properties[a].label.localeCompare(study.properties[b].label))
    : all.sort((a, b) => by[view.order](a) - by[view.order](b));
}

const BASE = { probability: 0.5, weight: 0 };
const openProperty = id => {
  state.set({ property: id });
  document.getElementById('property')?.scrollIntoView({ block: 'nearest' });
};

function pointsOf(view, width) {
  if (view.judges.length > MOST_COLOURS)
    return [h('p', { class: 'note' }, `Points are drawn for at most ${MOST_COLOURS} judges, which colours can tell apart; ${view.judges.length} are chosen, so here is the heat map.`),
      ...byJudge(view, width)];
  const rows = orderOf(view).map(k => {
    const prop = study.properties[k];
    return {
      name: prop.label, title: `${prop.label}: ${prop.description}`, key: prop.id, onclick: () => openProperty(prop.id),
      points: view.judges.map(judge => {
        const one = estimate(view.what, judge, view.group, k);
        return { ...one, data: { 'data-judge': judge },
          text: `${judge}, ${prop.label}: ${fixed(one.value, 3)} ${within(one.lower, one.upper, 3)}; differs in ${count(one.differs)} of ${count(pairsOf(judge, view.group))} pairs${one.prior ? ` (${priorWords(one)})` : ''}` };
      }),
    };
  });
  const chart = dots(rows, { width, baseline: BASE[view.what], title: SHOWN[view.what], intervals: view.intervals, format: v => fixed(v, 3), low: view.what === 'rank' ? 1 : undefined,
    label: `${SHOWN[view.what]} of each property, ${groupName(view.group)}` });
  return [legend(view.judges, rows.some(row => row.points.some(p => p.prior))), chart, saveButtons(chart, `properties-${view.what}`)];
}

function heatOf(view, width, columns, names, one) {
  const order = orderOf(view), cells = order.map(k => columns.map(c => one(c, k)));
  const middle = view.what === 'rank' ? (study.ids.length + 1) / 2 : BASE[view.what];
  const reach = Math.max(1e-9, ...cells.flat().map(c => Math.abs(c.value - middle)).filter(known));
  const sign = view.what === 'rank' ? -1 : 1; // rank 1 is the most preferred
  const chart = heat(order.map(k => study.properties[k].label), names, (i, j) => {
    const c = cells[i][j], prop = study.properties[order[i]];
    return { prior: c.prior, value: known(c.value) ? middle + sign * (c.value - middle) : NaN, shown: fixed(c.value, view.what === 'rank' ? 0 : 2), small: view.intervals ? within(c.lower, c.upper, view.what === 'rank' ? 0 : 2) : '',
      text: `${names[j]}, ${prop.label}: ${fixed(c.value, 3)} ${within(c.lower, c.upper, 3)}${c.prior ? ` (${priorWords(c)})` : ''}`, data: { 'data-row': prop.id, 'data-column': columns[j], 'data-value': c.value } };
  }, { width, reach, middle, label: `${SHOWN[view.what]}, properties by ${view.chart}`, onrow: i => openProperty(study.ids[order[i]]), rowKey: i => study.ids[order[i]] });
  const format = v => fixed(v, view.what === 'rank' ? 0 : 2);
  return [colourKey(reach, middle, view.what === 'rank' ? v => format(2 * middle - v) : format, cells.flat().some(c => c.prior) && 'struck through: nearly the prior, the data say next to nothing'), h('div', { class: 'scroll' }, chart), saveButtons(chart, `heat-${view.what}`)];
}
const byJudge = (view, width) => heatOf(view, width, view.judges, view.judges, (j, k) => estimate(view.what, j, view.group, k));
function byGroup(view, width) {
  const judge = view.judges[0];
  return [h('p', { class: 'note' }, 'Judge: ', h('b', null, h('bdi', null, judge)), view.judges.length > 1 ? ' (the first of those chosen)' : ''),
    ...heatOf({ ...view, judges: [judge] }, width, study.rows, study.rows.map(g => (g === OVERALL && study.scenarios.length > 1 ? OVERALL : groupName(g))), (g, k) => estimate(view.what, judge, g, k))];
}

function numbersOf(view) {
  const rows = orderOf(view).flatMap(k => view.judges.map(judge => ({ judge, prop: study.properties[k], k, ...estimate(view.what, judge, view.group, k) })));
  const n = row => pairsOf(row.judge, view.group);
  const columns = [
    { name: 'property', of: r => r.prop.label }, { name: 'judge', of: r => h('bdi', null, r.judge) },
    { name: view.what, of: r => r.value, right: true }, { name: 'lower', of: r => r.lower, right: true }, { name: 'upper', of: r => r.upper, right: true },
    { name: 'differs in', of: r => r.differs, digits: 0, right: true }, { name: 'of pairs', of: n, digits: 0, right: true }, { name: '', of: priorWords }];
  return h('details', { 'data-key': 'numbers' }, h('summary', null, 'The numbers, as a table'),
    table(columns, rows, { most: 120, key: r => `${r.judge}|${r.prop.id}` }),
    saveButtons(null, `properties-${view.what}`, ['property', 'judge', 'group', view.what, 'lower', 'upper', 'differs_in', 'pairs', 'note'],
      rows.map(r => [r.prop.id, r.judge, view.group, r.value, r.lower, r.upper, r.differs, n(r), priorWords(r)])),
    h('div', { class: 'buttons' }, h('button', { onclick: saveWeights }, 'Save all weights (CSV)')));
}

function saveWeights() {
  const rows = [];
  study.judges.forEach((judge, j) => study.groupIds.forEach((group, g) => study.ids.forEach((id, k) => {
    const w = study.weights;
    if (isFitted(j, g)) rows.push([judge, group, id, w.mean.at(j, g, k), w.sd.at(j, g, k), w.lower.at(j, g, k), w.upper.at(j, g, k), sigmoid(w.mean.at(j, g, k)),
      fitOf(j, g, 'n_pairs'), w.n_differs.at(j, g, k), fitOf(j, g, 'engine'), String(fitOf(j, g, 'certified'))]);
  })));
  save('weights.csv', 'text/csv', csv(['judge', 'group', 'property', 'mean', 'sd', 'lower', 'upper', 'probability', 'n_pairs', 'n_differs', 'engine', 'certified'], rows));
}
