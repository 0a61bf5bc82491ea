// Judges against judges: matrix, tree, ceilings, nearest.

const SETS = { study: 'of this dissection', all: 'all, with released ones', reference: 'released ones', chosen: 'chosen' };
const measureNames = { pearson: 'Pearson', spearman: 'Spearman', l1: 'L1 (negative distance)', l2: 'L2 (negative distance)' };

// All judges that can be compared: those of the dissection first, then released ones, which have means only.
function comparable() {
  const released = study.similarity.reference ? study.similarity.reference.judges : [];
  return [...study.judges.map((name, j) => ({ name, j })), ...released.map((name, r) => ({ name: study.judges.includes(name) ? `${name} (released)` : name, r }))];
}

// A judge that is alone stands beside released ones.
const firstSet = () => (study.judges.length > 1 ? 'study' : 'all');

function judgesView() {
  const all = comparable(), names = all.map(c => c.name), set = state.get('set', firstSet(), Object.keys(SETS));
  const chosen = { study: all.filter(c => 'j' in c), all, reference: all.filter(c => 'r' in c) }[set]
    || all.filter(c => state.all('among', study.judges.slice(0, 8), names).includes(c.name));
  return {
    all, names, chosen, set,
    measure: state.get('measure', 'pearson', Object.keys(MEASURES)),
    row: state.get('in', study.similarity.rows[0], study.similarity.rows),
    what: state.get('value', 'corrected', ['similarity', 'corrected']),
    k: Number(state.get('clusters', '3')),
  };
}

const meanWeights = (one, g) => ('j' in one ? study.weights.mean.row(one.j, g) : study.similarity.reference.mean.row(one.r, g));

// Of two judges: the point, and where both have a posterior what Python found.
function similarityOf(a, b, view) {
  const at = study.similarity.rows.indexOf(view.row), table = study.similarity.measures[view.measure];
  if ('j' in a && 'j' in b) {
    const [p, q] = a.j < b.j ? [a.j, b.j] : [b.j, a.j], n = study.judges.length;
    const pair = p * n - p * (p + 1) / 2 + (q - p - 1), of = name => table[name].at(at, pair);
    return { similarity: of('similarity'), corrected: of('corrected'), lower: of('lower'), upper: of('upper'), agreement: of('agreement'), kappa: of('kappa'), n: of('n') };
  }
  const groups = view.row === OVERALL ? study.scenarios : [view.row];
  const each = groups.map(id => MEASURES[view.measure](meanWeights(a, groupAt(id)), meanWeights(b, groupAt(id)))).filter(known);
  return { similarity: each.length ? each.reduce((x, y) => x + y, 0) / each.length : NaN, corrected: NaN, lower: NaN, upper: NaN, agreement: NaN, kappa: NaN, n: NaN };
}
const ceilingOf = (one, view) => ('j' in one ? study.similarity.measures[view.measure].ceiling.at(study.similarity.rows.indexOf(view.row), one.j) : NaN);

// Distances of each of the draws that the page has, for the support of branches; none where a judge has no posterior.
function drawnDistances(view) {
  if (view.chosen.some(one => !('j' in one))) return [];
  const { middle, reach, steps } = study.similarity.draws, groups = (view.row === OVERALL ? study.scenarios : [view.row]).map(groupAt);
  const top = topOf(view.measure), measure = MEASURES[view.measure], n = view.chosen.length;
  return Array.from({ length: steps.shape[0] }, (_, d) => {
    const sum = Array.from({ length: n }, () => new Array(n).fill(0)), number = sum.map(r => [...r]);
    for (const g of groups) {
      const weights = view.chosen.map(({ j }) => study.ids.map((_, k) => middle.at(g, j, k) + reach.at(g, j, k) * steps.at(d, g, j, k) / 127));
      const ready = view.measure === 'spearman' ? weights.map(ranksOf) : weights, of = view.measure === 'spearman' ? pearson : measure;
      for (let a = 0; a < n; a++) for (let b = 0; b < a; b++) {
        const value = of(ready[a], ready[b]);
        if (known(value)) { sum[a][b] += value; number[a][b]++; }
      }
    }
    return sum.map((row, a) => row.map((_, b) => (a === b ? 0 : top - sum[Math.max(a, b)][Math.min(a, b)] / number[Math.max(a, b)][Math.min(a, b)])));
  });
}

const judgesSection = {
  title: 'Judges',
  controls: () => {
    if (!study.similarity) return [];
    const view = judgesView(), sets = study.similarity.reference ? SETS : { study: SETS.study, chosen: SETS.chosen };
    return [
      choice('Judges', 'set', Object.entries(sets).filter(([value]) => value !== 'study' || study.judges.length > 1).map(([value, label]) => ({ value, label })), firstSet()),
      view.set === 'chosen' && several('Chosen', 'among', view.names, view.chosen.map(c => c.name)),
      choice('Group', 'in', groupOptions(study.similarity.rows), study.similarity.rows[0]),
      choice('Measure', 'measure', Object.entries(measureNames).map(([value, label]) => ({ value, label })), 'pearson'),
      radios('Value', 'value', { corrected: 'noise taken out', similarity: 'as in the paper' }, 'corrected'),
      view.chosen.length > 2 && choice('Clusters', 'clusters', Array.from({ length: Math.min(8, Math.max(1, view.chosen.length)) }, (_, i) => String(i + 1)), '3')];
  },
  build: width => {
    if (!study.similarity) return [h('p', { class: 'note' }, study.judges.length > 1
      ? 'No two judges have a fit in a common group, so there is nothing to compare: too few of their pairs are in the same groups.'
      : 'One judge was dissected, and a comparison takes two. Name several in judge= of dissect (--judge of the command line), or add the verdicts of another to the dissection: result.add(name, verdicts). Released judges of the same properties stand beside one as well: report(reference=...).')];
    const view = judgesView();
    if (view.chosen.length < 2) return [h('p', { class: 'warning' }, 'Choose at least two judges.')];
    return [...study.similarity.notes.map(note => h('p', { class: 'note' }, h('bdi', null, note))), matrixOf(view, width), nearestOf(view, width)];
  },
};

function matrixOf(view, width) {
  const n = view.chosen.length, found = view.chosen.map(a => view.chosen.map(b => (a === b ? null : similarityOf(a, b, view))));
  const released = view.chosen.some(one => 'r' in one), what = released ? 'similarity' : view.what, top = topOf(view.measure);
  const distance = found.map(row => row.map(c => (c ? top - c[what] : 0)));
  const complete = distance.flat().every(known);
  const branches = complete ? averageLinkage(distance) : [], order = complete ? leafOrder(branches, n) : view.chosen.map((_, i) => i);
  const place = []; order.forEach((leaf, row) => { place[leaf] = row; });
  const support = complete ? supportFor(branches, view) : [];
  const clusters = complete ? cutTree(branches, n, Math.min(view.k, n)) : [];
  const names = order.map(i => view.chosen[i].name + (n > 2 && clusters.length ? ` (${clusters[i]})` : ''));
  const values = found.flat().filter(Boolean).map(c => c[what]).filter(known);
  const correlation = top === 1, middle = correlation ? 0 : Math.min(...values, 0) / 2, reach = correlation ? 1 : Math.max(1e-9, -middle);
  const textOf = (i, j) => pairText(view.chosen[i], view.chosen[j], found[i][j], view);
  const chosen = h('p', { class: 'note', id: 'chosen-cell', role: 'status' }, 'Choose a cell to read its interval, ceilings and agreement.');
  const chart = heat(names, order.map(i => view.chosen[i].name), (r, c) => {
    const [i, j] = [order[r], order[c]];
    if (i === j) {
      const ceiling = ceilingOf(view.chosen[i], view);
      return { value: ceiling, shown: fixed(ceiling), small: 'ceiling', text: `${view.chosen[i].name} and itself on fresh labels (the ceiling): ${fixed(ceiling)}`, data: { 'data-row': view.chosen[i].name, 'data-column': view.chosen[j].name, 'data-ceiling': true } };
    }
    const one = found[i][j];
    return { value: one[what], small: what === 'corrected' ? within(one.lower, one.upper) : '', text: textOf(i, j),
      data: { 'data-row': view.chosen[i].name, 'data-column': view.chosen[j].name, 'data-lower': one.lower, 'data-upper': one.upper } };
  }, { width, reach, middle, label: 'Similarity of judges',
    beside: complete && n > 2 ? treeBeside(branches, place, n, Math.min(110, width * 0.16), support) : null,
    oncell: (r, c) => { chosen.textContent = order[r] === order[c] ? `${view.chosen[order[r]].name}: ceiling ${fixed(ceilingOf(view.chosen[order[r]], view))}` : textOf(order[r], order[c]); } });
  const rows = []; for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) rows.push({ a: view.chosen[i], b: view.chosen[j], ...found[i][j] });
  rows.sort((p, q) => q[what] - p[what]);
  return h('section', null, h('h3', null, `${measureNames[view.measure]} similarity, ${groupName(view.row)}`),
    h('p', { class: 'note' }, what === 'corrected' ? 'Posterior mean of the similarity of the true weights: noise is taken out. ' : 'Similarity of posterior means, as in the paper (Li et al. 2024): noise lowers it, so no value can be expected above the ceilings. ',
      'On the diagonal: the ceiling, how alike a judge would be to itself on fresh labels. ', support.length > 1 ? `On branches: the percentage of ${study.similarity.draws.steps.shape[0]} posterior draws whose tree has them${n > FEW_LEAVES ? '; those without a number are in fewer than half' : ''}.` : ''),
    n > 2 && clusters.length > 0 && h('p', { class: 'note', id: 'cut' }, cutWords(branches, clusters, support)),
    colourKey(reach, middle, v => fixed(v)), h('div', { class: 'scroll' }, chart), chosen, saveButtons(chart, 'similarity'),
    h('details', { 'data-key': 'similarities' }, h('summary', null, 'All pairs of judges, as a table'), h('p', { class: 'note' }, 'Same verdict: of the pairs that both decided. Kappa: how far that is beyond chance; 0 is chance, 1 always the same.'), similarityTable(rows, view),
      saveButtons(null, 'similarity', ['group', 'judge_a', 'judge_b', 'similarity', 'corrected', 'lower', 'upper', 'ceiling_a', 'ceiling_b', 'agreement', 'kappa', 'n'],
        rows.map(r => [view.row, r.a.name, r.b.name, r.similarity, r.corrected, r.lower, r.upper, ceilingOf(r.a, view), ceilingOf(r.b, view), r.agreement, r.kappa, r.n]))));
}
// How sure the clusters in brackets are: each is a branch, which some share of the drawn trees has.
function cutWords(branches, clusters, support) {
  const members = new Map();
  clusters.forEach((number, leaf) => members.set(number, [...(members.get(number) ?? []), leaf]));
  const said = [...members].filter(([, leaves]) => leaves.length > 1 && leaves.length < clusters.length).map(([number, leaves]) => {
    const at = branches.findIndex(b => b.leaves.length === leaves.length && leaves.every(leaf => b.leaves.includes(leaf)));
    return known(support[at]) ? `cluster ${number} in ${Math.round(100 * support[at])}%` : null;
  }).filter(Boolean).sort();
  return `Numbers in brackets: the tree cut into ${members.size}, the number chosen above. ${said.length ? `Of the drawn trees, so many have it: ${said.join(', ')}. One that most do not have is no finding.` : ''}`;
}
// The last answer is kept: what is shown of a matrix changes more often than the matrix.
let supported = { key: null, support: [] };
function supportFor(branches, view) {
  const key = JSON.stringify([view.measure, view.row, view.what, view.chosen]);
  if (supported.key !== key) {
    const drawn = drawnDistances(view);
    supported = { key, support: drawn.length ? supportOf(branches, drawn) : [] };
  }
  return supported.support;
}

const pairText = (a, b, one, view) => `${a.name} and ${b.name}: as in the paper ${fixed(one.similarity)} (ceilings ${fixed(ceilingOf(a, view))} and ${fixed(ceilingOf(b, view))})`
  + (known(one.corrected) ? `; noise taken out ${fixed(one.corrected)} ${within(one.lower, one.upper)}` : '; no posterior is known of released judges')
  + (known(one.agreement) ? `; same verdict on ${percent(one.agreement)} of ${count(one.n)} pairs, kappa ${fixed(one.kappa)}` : '');

const similarityTable = (rows, view) => table([
  { name: 'judge', of: r => h('bdi', null, r.a.name) }, { name: 'and', of: r => h('bdi', null, r.b.name) },
  { name: 'as in the paper', of: r => r.similarity, right: true }, { name: 'ceilings', of: r => `${fixed(ceilingOf(r.a, view))}, ${fixed(ceilingOf(r.b, view))}`, right: true },
  { name: 'noise taken out', of: r => r.corrected, right: true }, { name: study.percent, of: r => within(r.lower, r.upper), right: true },
  { name: 'same verdict', of: r => (known(r.agreement) ? percent(r.agreement) : '–'), right: true }, { name: 'kappa', of: r => r.kappa, right: true }],
rows, { most: 60, key: r => `${r.a.name}|${r.b.name}` });

function nearestOf(view, width) {
  const names = view.chosen.map(c => c.name), now = state.get('nearest', names[0], names), me = view.chosen.find(c => c.name === now);
  const others = view.chosen.filter(c => c !== me).map(c => ({ c, ...similarityOf(me, c, view) }));
  const main = o => (known(o.corrected) ? o.corrected : o.similarity);
  others.sort((a, b) => main(b) - main(a));
  const rows = others.map(o => ({ name: o.c.name, key: `near:${o.c.name}`, points: [{ value: main(o), lower: o.lower, upper: o.upper, hollow: o.similarity,
    tick: ceilingOf(o.c, view), series: 0, text: pairText(me, o.c, o, view) }] }));
  const chart = dots(rows, { width: Math.min(width, 760), intervals: true, title: `${measureNames[view.measure]} similarity to ${now}`, format: v => fixed(v), label: `Nearest judges of ${now}` });
  return h('section', null, h('h3', null, 'Nearest judges'), h('div', { class: 'controls' }, choice('Of', 'nearest', names, names[0])),
    h('p', { class: 'note' }, `Filled: noise taken out, with its ${study.percent} interval. Hollow: as in the paper. Bar: the ceiling of the other judge.`), chart, saveButtons(chart, 'nearest'));
}
