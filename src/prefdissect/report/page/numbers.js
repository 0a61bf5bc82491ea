// The sums of the page, and how numbers are written. Each is what the Python of the same name does.

const sigmoid = x => 1 / (1 + Math.exp(-x));
const known = Number.isFinite;

function fixed(value, digits = 2) {
  if (!known(value)) return '–';
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text.replace('-', '−');
}
const signed = (value, digits = 2) => (known(value) && Number(value.toFixed(digits)) > 0 ? '+' : '') + fixed(value, digits);
const count = value => value.toLocaleString('en-US');
const percent = value => `${+(100 * value).toFixed(1)}%`;
const within = (low, high, digits = 2) => (known(low) ? `[${fixed(low, digits)}, ${fixed(high, digits)}]` : '');

// Nodes and weights of Gauss and Legendre on [-1, 1], by Newton's method.
function gaussLegendre(n) {
  const nodes = [], weights = [];
  for (let i = 0; i < n; i++) {
    let x = Math.cos(Math.PI * (i + 0.75) / (n + 0.5)), slope = 1;
    for (let step = 0; step < 50; step++) {
      let before = 1, here = x;
      for (let k = 2; k <= n; k++) [before, here] = [here, ((2 * k - 1) * x * here - (k - 1) * before) / k];
      if (n === 1) [before, here] = [1, x];
      slope = n * (x * here - before) / (x * x - 1);
      const moved = here / slope;
      x -= moved;
      if (Math.abs(moved) < 1e-15) break;
    }
    nodes.push(x);
    weights.push(2 / ((1 - x * x) * slope * slope));
  }
  return { nodes, weights };
}

// Shapley values of sigmoid(sum of terms) against all terms 0: the quadrature of inference/shapley.py.
const TOP = 12, NODES = 48, REACH = 6;
function shapley(terms) {
  const used = terms.map((t, k) => (t ? k : -1)).filter(k => k >= 0), n = used.length;
  const out = terms.map(() => 0);
  if (!n) return out;
  const reach = used.reduce((sum, k) => sum + Math.abs(terms[k]), 0);
  const panels = 2 ** Math.ceil(Math.log2(Math.max(reach / REACH, 1))), width = TOP / panels;
  const outer = gaussLegendre(NODES), inner = gaussLegendre(Math.floor(n / 2) + 1);
  const re = new Float64Array(n + 1), im = new Float64Array(n + 1), tr = new Float64Array(n), ti = new Float64Array(n);
  for (let panel = 0; panel < panels; panel++) for (let a = 0; a < NODES; a++) {
    const omega = width * (panel + (outer.nodes[a] + 1) / 2);
    const outerWeight = outer.weights[a] / 2 * width / Math.sinh(Math.PI * omega);
    for (let k = 0; k < n; k++) {
      const angle = omega * terms[used[k]];
      tr[k] = Math.cos(angle) - 1; ti[k] = Math.sin(angle);
    }
    for (let b = 0; b < inner.nodes.length; b++) {
      const share = (inner.nodes[b] + 1) / 2, weight = outerWeight * inner.weights[b] / 2;
      re[0] = 1; im[0] = 0;
      for (let k = 0; k < n; k++) {
        const fr = 1 + share * tr[k], fi = share * ti[k];
        re[k + 1] = re[k] * fr - im[k] * fi; im[k + 1] = re[k] * fi + im[k] * fr;
      }
      let ar = 1, ai = 0;
      for (let k = n - 1; k >= 0; k--) {
        const br = re[k] * ar - im[k] * ai, bi = re[k] * ai + im[k] * ar;
        out[used[k]] += weight * (tr[k] * bi + ti[k] * br);
        const fr = 1 + share * tr[k], fi = share * ti[k];
        [ar, ai] = [ar * fr - ai * fi, ar * fi + ai * fr];
      }
    }
  }
  return out;
}

// Ranks from 1 for the smallest; equal values share the mean of theirs, and where one is missing there are none.
function ranksOf(values) {
  if (values.some(Number.isNaN)) return values.map(() => NaN);
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]), out = new Array(values.length);
  for (let i = 0; i < order.length;) {
    let j = i;
    while (j + 1 < order.length && values[order[j + 1]] === values[order[i]]) j++;
    for (let k = i; k <= j; k++) out[order[k]] = (i + j) / 2 + 1;
    i = j + 1;
  }
  return out;
}

function pearson(a, b) {
  const n = a.length, mean = v => v.reduce((s, x) => s + x, 0) / n, ma = mean(a), mb = mean(b);
  let ab = 0, aa = 0, bb = 0;
  for (let k = 0; k < n; k++) { ab += (a[k] - ma) * (b[k] - mb); aa += (a[k] - ma) ** 2; bb += (b[k] - mb) ** 2; }
  return ab / Math.sqrt(aa * bb);
}

const MEASURES = {
  pearson,
  spearman: (a, b) => pearson(ranksOf(a), ranksOf(b)),
  l1: (a, b) => -a.reduce((sum, x, k) => sum + Math.abs(x - b[k]), 0) / a.length,
  l2: (a, b) => -Math.sqrt(a.reduce((sum, x, k) => sum + (x - b[k]) ** 2, 0)) / a.length,
};
const topOf = measure => (measure === 'pearson' || measure === 'spearman' ? 1 : 0);

// Average linkage: a list of branches, each { left, right, height, leaves }; leaves are numbered 0 to n - 1.
function averageLinkage(distance) {
  const n = distance.length, far = distance.map(row => [...row]), branches = [];
  const live = distance.map((_, i) => ({ node: i, leaves: [i] }));
  while (live.length > 1) {
    let best = [0, 1];
    for (let i = 0; i < live.length; i++) for (let j = i + 1; j < live.length; j++)
      if (far[i][j] < far[best[0]][best[1]]) best = [i, j];
    const [i, j] = best, a = live[i], b = live[j], height = far[i][j];
    const na = a.leaves.length, nb = b.leaves.length;
    for (let k = 0; k < live.length; k++)
      if (k !== i && k !== j) far[i][k] = far[k][i] = (na * far[i][k] + nb * far[j][k]) / (na + nb);
    live[i] = { node: n + branches.length, leaves: [...a.leaves, ...b.leaves] };
    branches.push({ left: a.node, right: b.node, height, leaves: live[i].leaves });
    live.splice(j, 1); far.splice(j, 1); far.forEach(row => row.splice(j, 1));
  }
  return branches;
}

// The tree cut into k clusters: the number of each leaf's, from 1 in the order of the leaves.
function cutTree(branches, n, k) {
  const parent = Array.from({ length: n + branches.length }, (_, i) => i);
  branches.slice(0, n - k).forEach((b, i) => { parent[b.left] = parent[b.right] = n + i; });
  const root = i => (parent[i] === i ? i : root(parent[i]));
  const leaves = branches.length ? branches[branches.length - 1].leaves : [0], number = new Map(), out = [];
  leaves.forEach(leaf => {
    const r = root(leaf);
    if (!number.has(r)) number.set(r, number.size + 1);
    out[leaf] = number.get(r);
  });
  return out;
}
