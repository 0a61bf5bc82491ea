// What Python wrote, with names: `study` is read once and never changed.

const OVERALL = 'overall';
let study = null;

function unpackStudy(given) {
  const walk = value => {
    if (value && typeof value === 'object' && 'bytes' in value && 'shape' in value) return new Packed(value);
    if (Array.isArray(value)) return value.map(walk);
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, walk(v)]));
    return value;
  };
  const all = walk(given);
  all.properties = all.weights.properties;
  all.ids = all.properties.map(p => p.id);
  all.groupIds = all.groups.map(g => g.id);
  all.scenarios = all.groups.filter(g => g.kind !== 'case').map(g => g.id);
  all.rows = [...(all.weights.overall && all.groups.length > 1 ? [OVERALL] : []), ...all.groupIds];
  all.percent = percent(all.interval);
  return all;
}

const judgeAt = name => study.judges.indexOf(name);
const groupAt = name => study.groupIds.indexOf(name);
const propertyOf = id => study.properties.find(p => p.id === id);
const plainName = id => id.replaceAll('_', ' ');
// Where there is one scenario, the mean over scenarios is that one.
const groupName = id => (id !== OVERALL ? plainName(id) : study.scenarios.length > 1 ? 'Overall: mean over scenarios' : plainName(study.scenarios[0] ?? OVERALL));
const groupOptions = ids => ids.map(id => ({ value: id, label: groupName(id) }));
const fitOf = (j, g, name) => study.weights.fits[name][j * study.groups.length + g];
const isFitted = (j, g) => fitOf(j, g, 'engine') !== 'none';

// What a judge thinks of a property in a group or overall: { value, lower, upper } of a weight, probability or rank;
// in how many pairs it differs; and whether the answer is nearly the prior, in all groups that it is made of.
function estimate(what, judge, group, k) {
  const j = judgeAt(judge);
  if (group === OVERALL) {
    const table = study.weights.overall, parts = study.scenarios.map(groupAt).filter(g => isFitted(j, g));
    const differs = parts.reduce((sum, g) => sum + study.weights.n_differs.at(j, g, k), 0);
    return { value: table[what].at(j, k), lower: table[`${what}_lower`].at(j, k), upper: table[`${what}_upper`].at(j, k), differs,
      prior: parts.every(g => study.weights.is_prior.at(j, g, k)) };
  }
  const g = groupAt(group), w = study.weights, differs = w.n_differs.at(j, g, k), prior = w.is_prior.at(j, g, k) > 0;
  if (what === 'rank') return { value: w.rank.at(j, g, k), lower: w.rank_lower.at(j, g, k), upper: w.rank_upper.at(j, g, k), differs, prior };
  const turn = what === 'probability' ? sigmoid : v => v;
  return { value: turn(w.mean.at(j, g, k)), lower: turn(w.lower.at(j, g, k)), upper: turn(w.upper.at(j, g, k)), differs, prior };
}

// What to say of an estimate that data hardly made; nothing where they did.
const priorWords = one => (!one.prior ? '' : one.differs > 0 ? 'nearly the prior' : 'never differs: the prior');
const pairsOf = (judge, group) => (group === OVERALL ? study.scenarios : [group]).map(groupAt).filter(g => isFitted(judgeAt(judge), g))
  .reduce((sum, g) => sum + fitOf(judgeAt(judge), g, 'n_pairs'), 0);

// The groups that pair p is in, with a fit of judge j; scenarios first, as `explain` chooses.
const groupsOf = (p, j) => study.groupIds.filter((_, g) => study.pairs.inside.at(p, g) && isFitted(j, g))
  .sort((a, b) => study.scenarios.includes(b) - study.scenarios.includes(a));

// What the fit says of a pair: log-odds of each property, their sum, and the probability of A with its interval.
function explain(p, j, g) {
  const x = study.pairs.x.row(p);
  if (x.some(Number.isNaN)) return null;
  const w = study.weights, terms = x.map((v, k) => v * w.mean.at(j, g, k)), logit = terms.reduce((a, b) => a + b, 0);
  const sd = spread(x, j, g), z = normalQuantile(1 - (1 - study.interval) / 2);
  return { x, terms, logit, probability: sigmoid(logit), lower: sigmoid(logit - z * sd), upper: sigmoid(logit + z * sd) };
}

// Standard deviation of the log-odds of a row, by the covariance of the weights.
function spread(x, j, g) {
  const { sd, correlation } = study.pairs.spread, scaled = x.map((v, k) => v * sd.at(j, g, k));
  let total = scaled.reduce((sum, v) => sum + v * v, 0);
  for (let a = 1, at = 0; a < x.length; a++) for (let b = 0; b < a; b++, at++)
    if (scaled[a] && scaled[b]) total += 2 * scaled[a] * scaled[b] * correlation.at(j, g, at) / 127;
  return Math.sqrt(Math.max(0, total));
}

// Quantile of the normal distribution, by bisection of its distribution function (Abramowitz and Stegun 1964, 7.1.26
// is too coarse; the error function is summed by its series).
function normalQuantile(p) {
  const cdf = z => { let term = z, sum = z; for (let i = 1; i < 200; i++) { term *= -z * z / (2 * i); sum += term / (2 * i + 1); } return 0.5 + sum / Math.sqrt(2 * Math.PI); };
  let low = -6, high = 6;
  for (let i = 0; i < 60; i++) { const middle = (low + high) / 2; if (cdf(middle) < p) low = middle; else high = middle; }
  return (low + high) / 2;
}

const surprise = (label, logit) => label * Math.log1p(Math.exp(-logit)) + (1 - label) * Math.log1p(Math.exp(logit));
